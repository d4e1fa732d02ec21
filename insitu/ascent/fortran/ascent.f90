! Ascent's Fortran interface: the names and arguments of Ascent's module `ascent`. Names of timers
! end with C_NULL_CHAR.
module ascent
    use, intrinsic :: iso_c_binding
    implicit none

    interface
        subroutine ascent_about(node) bind(C, name="ascent_about")
            import
            type(C_PTR), value, intent(in) :: node
        end subroutine

        function ascent_create() result(res) bind(C, name="ascent_create")
            import
            type(C_PTR) :: res
        end function

        subroutine ascent_destroy(self) bind(C, name="ascent_destroy")
            import
            type(C_PTR), value, intent(in) :: self
        end subroutine

        subroutine ascent_open(self, options) bind(C, name="ascent_open")
            import
            type(C_PTR), value, intent(in) :: self, options
        end subroutine

        subroutine ascent_publish(self, data) bind(C, name="ascent_publish")
            import
            type(C_PTR), value, intent(in) :: self, data
        end subroutine

        subroutine ascent_execute(self, actions) bind(C, name="ascent_execute")
            import
            type(C_PTR), value, intent(in) :: self, actions
        end subroutine

        subroutine ascent_info(self, res) bind(C, name="ascent_info")
            import
            type(C_PTR), value, intent(in) :: self, res
        end subroutine

        function ascent_info_ref(self) result(res) bind(C, name="ascent_info_ref")
            import
            type(C_PTR), value, intent(in) :: self
            type(C_PTR) :: res
        end function

        subroutine ascent_close(self) bind(C, name="ascent_close")
            import
            type(C_PTR), value, intent(in) :: self
        end subroutine

        subroutine ascent_timer_start(timer_name) bind(C, name="ascent_timer_start")
            import
            character(kind=C_CHAR) :: timer_name(*)
        end subroutine

        subroutine ascent_timer_stop(timer_name) bind(C, name="ascent_timer_stop")
            import
            character(kind=C_CHAR) :: timer_name(*)
        end subroutine

        subroutine ascent_timer_write() bind(C, name="ascent_timer_write")
        end subroutine
    end interface
end module ascent
