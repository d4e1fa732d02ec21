! Trees in files: the names of conduit's module `conduit_relay`.
module conduit_relay
    use, intrinsic :: iso_c_binding
    implicit none

    interface
        subroutine conduit_relay_about(cnode) bind(C, name="conduit_relay_about")
            import
            type(C_PTR), value, intent(in) :: cnode
        end subroutine
    end interface
end module conduit_relay
