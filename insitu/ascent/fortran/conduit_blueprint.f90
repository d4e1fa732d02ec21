! Checks against the Blueprint conventions: the names of conduit's modules `conduit_blueprint` and
! `conduit_blueprint_mesh`.
module conduit_blueprint_mesh
    use, intrinsic :: iso_c_binding
    implicit none

    interface
        function c_mesh_verify(cnode, cinfo) result(res) &
            bind(C, name="conduit_blueprint_mesh_verify")
            import
            type(C_PTR), value, intent(in) :: cnode, cinfo
            integer(C_INT) :: res
        end function
    end interface

contains

    function conduit_blueprint_mesh_verify(cnode, cinfo) result(res)
        type(C_PTR), value, intent(in) :: cnode, cinfo
        logical(C_BOOL) :: res
        res = c_mesh_verify(cnode, cinfo) == 1
    end function
end module conduit_blueprint_mesh

module conduit_blueprint
    use, intrinsic :: iso_c_binding
    use conduit_blueprint_mesh
    implicit none

    interface
        subroutine conduit_blueprint_about(cnode) bind(C, name="conduit_blueprint_about")
            import
            type(C_PTR), value, intent(in) :: cnode
        end subroutine
    end interface
end module conduit_blueprint
