! The Blueprint conventions: the names of conduit's modules `conduit_blueprint`,
! `conduit_blueprint_mesh`, `conduit_blueprint_mcarray` and `conduit_blueprint_table`. Interfaces that
! are alike are written out, for the reasons that conduit.f90 gives.
module conduit_blueprint_mesh
    use, intrinsic :: iso_c_binding
    use conduit, only: conduit_c_text
    implicit none
    private :: conduit_c_text

    interface
        function c_mesh_verify(cnode, cinfo) result(res) &
            bind(C, name="conduit_blueprint_mesh_verify")
            import
            type(C_PTR), value, intent(in) :: cnode, cinfo
            integer(C_INT) :: res
        end function

        function c_mesh_verify_sub_protocol(protocol, cnode, cinfo) result(res) &
            bind(C, name="conduit_blueprint_mesh_verify_sub_protocol")
            import
            character(kind=C_CHAR), intent(in) :: protocol(*)
            type(C_PTR), value, intent(in) :: cnode, cinfo
            integer(C_INT) :: res
        end function

        subroutine c_mesh_generate_index(cmesh, ref_path, num_domains, cindex) &
            bind(C, name="conduit_blueprint_mesh_generate_index")
            import
            type(C_PTR), value, intent(in) :: cmesh, cindex
            character(kind=C_CHAR), intent(in) :: ref_path(*)
            integer(C_SIZE_T), value, intent(in) :: num_domains
        end subroutine

        subroutine c_mesh_examples_braid(mesh_type, nx, ny, nz, cdest) &
            bind(C, name="conduit_blueprint_mesh_examples_braid")
            import
            character(kind=C_CHAR), intent(in) :: mesh_type(*)
            integer(C_SIZE_T), value, intent(in) :: nx, ny, nz
            type(C_PTR), value, intent(in) :: cdest
        end subroutine

        subroutine c_mesh_examples_basic(mesh_type, nx, ny, nz, cdest) &
            bind(C, name="conduit_blueprint_mesh_examples_basic")
            import
            character(kind=C_CHAR), intent(in) :: mesh_type(*)
            integer(C_SIZE_T), value, intent(in) :: nx, ny, nz
            type(C_PTR), value, intent(in) :: cdest
        end subroutine
    end interface

contains

    function conduit_blueprint_mesh_verify(cnode, cinfo) result(res)
        type(C_PTR), value, intent(in) :: cnode, cinfo
        logical(C_BOOL) :: res
        res = c_mesh_verify(cnode, cinfo) == 1
    end function

    function conduit_blueprint_mesh_verify_sub_protocol(protocol, cnode, cinfo) result(res)
        character(*), intent(in) :: protocol
        type(C_PTR), value, intent(in) :: cnode, cinfo
        logical(C_BOOL) :: res
        res = c_mesh_verify_sub_protocol(conduit_c_text(protocol), cnode, cinfo) == 1
    end function

    subroutine conduit_blueprint_mesh_generate_index(cmesh, ref_path, num_domains, cindex)
        type(C_PTR), value, intent(in) :: cmesh, cindex
        character(*), intent(in) :: ref_path
        integer(C_SIZE_T), value, intent(in) :: num_domains
        call c_mesh_generate_index(cmesh, conduit_c_text(ref_path), num_domains, cindex)
    end subroutine

    subroutine conduit_blueprint_mesh_examples_braid(mesh_type, nx, ny, nz, cdest)
        character(*), intent(in) :: mesh_type
        integer(C_SIZE_T), value, intent(in) :: nx, ny, nz
        type(C_PTR), value, intent(in) :: cdest
        call c_mesh_examples_braid(conduit_c_text(mesh_type), nx, ny, nz, cdest)
    end subroutine

    subroutine conduit_blueprint_mesh_examples_basic(mesh_type, nx, ny, nz, cdest)
        character(*), intent(in) :: mesh_type
        integer(C_SIZE_T), value, intent(in) :: nx, ny, nz
        type(C_PTR), value, intent(in) :: cdest
        call c_mesh_examples_basic(conduit_c_text(mesh_type), nx, ny, nz, cdest)
    end subroutine
end module conduit_blueprint_mesh

module conduit_blueprint_mcarray
    use, intrinsic :: iso_c_binding
    use conduit, only: conduit_c_text
    implicit none
    private :: conduit_c_text

    interface
        function c_mcarray_verify(cnode, cinfo) result(res) &
            bind(C, name="conduit_blueprint_mcarray_verify")
            import
            type(C_PTR), value, intent(in) :: cnode, cinfo
            integer(C_INT) :: res
        end function

        function c_mcarray_verify_sub_protocol(protocol, cnode, cinfo) result(res) &
            bind(C, name="conduit_blueprint_mcarray_verify_sub_protocol")
            import
            character(kind=C_CHAR), intent(in) :: protocol(*)
            type(C_PTR), value, intent(in) :: cnode, cinfo
            integer(C_INT) :: res
        end function

        function c_mcarray_is_interleaved(cnode) result(res) &
            bind(C, name="conduit_blueprint_mcarray_is_interleaved")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT) :: res
        end function

        function c_mcarray_to_interleaved(cnode, cdest) result(res) &
            bind(C, name="conduit_blueprint_mcarray_to_interleaved")
            import
            type(C_PTR), value, intent(in) :: cnode, cdest
            integer(C_INT) :: res
        end function

        function c_mcarray_to_contiguous(cnode, cdest) result(res) &
            bind(C, name="conduit_blueprint_mcarray_to_contiguous")
            import
            type(C_PTR), value, intent(in) :: cnode, cdest
            integer(C_INT) :: res
        end function

        subroutine c_mcarray_examples_xyz(mcarray_type, npts, cdest) &
            bind(C, name="conduit_blueprint_mcarray_examples_xyz")
            import
            character(kind=C_CHAR), intent(in) :: mcarray_type(*)
            integer(C_SIZE_T), value, intent(in) :: npts
            type(C_PTR), value, intent(in) :: cdest
        end subroutine
    end interface

contains

    function conduit_blueprint_mcarray_verify(cnode, cinfo) result(res)
        type(C_PTR), value, intent(in) :: cnode, cinfo
        logical(C_BOOL) :: res
        res = c_mcarray_verify(cnode, cinfo) == 1
    end function

    function conduit_blueprint_mcarray_verify_sub_protocol(protocol, cnode, cinfo) result(res)
        character(*), intent(in) :: protocol
        type(C_PTR), value, intent(in) :: cnode, cinfo
        logical(C_BOOL) :: res
        res = c_mcarray_verify_sub_protocol(conduit_c_text(protocol), cnode, cinfo) == 1
    end function

    function conduit_blueprint_mcarray_is_interleaved(cnode) result(res)
        type(C_PTR), value, intent(in) :: cnode
        logical(C_BOOL) :: res
        res = c_mcarray_is_interleaved(cnode) == 1
    end function

    function conduit_blueprint_mcarray_to_interleaved(cnode, cdest) result(res)
        type(C_PTR), value, intent(in) :: cnode, cdest
        logical(C_BOOL) :: res
        res = c_mcarray_to_interleaved(cnode, cdest) == 1
    end function

    function conduit_blueprint_mcarray_to_contiguous(cnode, cdest) result(res)
        type(C_PTR), value, intent(in) :: cnode, cdest
        logical(C_BOOL) :: res
        res = c_mcarray_to_contiguous(cnode, cdest) == 1
    end function

    subroutine conduit_blueprint_mcarray_examples_xyz(mcarray_type, npts, cdest)
        character(*), intent(in) :: mcarray_type
        integer(C_SIZE_T), value, intent(in) :: npts
        type(C_PTR), value, intent(in) :: cdest
        call c_mcarray_examples_xyz(conduit_c_text(mcarray_type), npts, cdest)
    end subroutine
end module conduit_blueprint_mcarray

module conduit_blueprint_table
    use, intrinsic :: iso_c_binding
    use conduit, only: conduit_c_text
    implicit none
    private :: conduit_c_text

    interface
        function c_table_verify(cnode, cinfo) result(res) &
            bind(C, name="conduit_blueprint_table_verify")
            import
            type(C_PTR), value, intent(in) :: cnode, cinfo
            integer(C_INT) :: res
        end function

        function c_table_verify_sub_protocol(protocol, cnode, cinfo) result(res) &
            bind(C, name="conduit_blueprint_table_verify_sub_protocol")
            import
            character(kind=C_CHAR), intent(in) :: protocol(*)
            type(C_PTR), value, intent(in) :: cnode, cinfo
            integer(C_INT) :: res
        end function

        subroutine conduit_blueprint_table_examples_basic(nx, ny, nz, cnode) &
            bind(C, name="conduit_blueprint_table_examples_basic")
            import
            integer(C_SIZE_T), value, intent(in) :: nx, ny, nz
            type(C_PTR), value, intent(in) :: cnode
        end subroutine
    end interface

contains

    function conduit_blueprint_table_verify(cnode, cinfo) result(res)
        type(C_PTR), value, intent(in) :: cnode, cinfo
        logical(C_BOOL) :: res
        res = c_table_verify(cnode, cinfo) == 1
    end function

    function conduit_blueprint_table_verify_sub_protocol(protocol, cnode, cinfo) result(res)
        character(*), intent(in) :: protocol
        type(C_PTR), value, intent(in) :: cnode, cinfo
        logical(C_BOOL) :: res
        res = c_table_verify_sub_protocol(conduit_c_text(protocol), cnode, cinfo) == 1
    end function
end module conduit_blueprint_table

module conduit_blueprint
    use, intrinsic :: iso_c_binding
    use conduit_blueprint_mcarray
    use conduit_blueprint_mesh
    use conduit_blueprint_table
    implicit none

    interface
        subroutine conduit_blueprint_about(cnode) bind(C, name="conduit_blueprint_about")
            import
            type(C_PTR), value, intent(in) :: cnode
        end subroutine
    end interface
end module conduit_blueprint
