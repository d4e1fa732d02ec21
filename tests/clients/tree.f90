! What simulations use of conduit's Fortran modules besides `conduit` itself. Stops with an error if
! something is not as it should be.
program tree
    use, intrinsic :: iso_c_binding
    use conduit
    use conduit_blueprint
    use conduit_endianness_enum
    use conduit_obj
    use conduit_relay
    implicit none

    type(node) :: n, other, info, item
    real(C_DOUBLE) :: values(4) = [1d0, 2d0, 3d0, 4d0]
    real(C_DOUBLE), pointer :: seen(:)
    type(C_PTR) :: mesh

    n = conduit_node_obj_create()
    other = conduit_node_obj_create()
    info = conduit_node_obj_create()
    call n%set_path("a/b", 42)
    call n%set_path_external("v", values, 4_C_SIZE_T)
    call n%set_path("name", "tree")
    item = n%fetch("list")
    item = item%append()
    call item%set(2.5d0)
    values(4) = 8
    call n%fetch_path_as_float64_ptr("v", seen)
    call check(logical(seen(4) == 8), "external")
    call check(logical(n%fetch_path_as_int32("a/b") == 42), "int32")
    call check(logical(n%has_path("a/b") .and. .not. n%has_child("b")), "paths")
    call check(logical(n%number_of_children() == 4), "children")
    call n%compact_to(other)
    call check(logical(other%is_contiguous()), "compact")
    call check(logical(.not. n%diff(other, info, 0d0)), "no difference")
    call other%set_path("a/b", 43)
    call check(logical(n%diff(other, info, 0d0)), "difference")
    call other%update(n)
    call check(logical(.not. n%diff_compatible(other, info, 0d0)), "updated")
    call n%remove_path("a")
    call n%rename_child("name", "title")
    call check(logical(n%has_child("title") .and. .not. n%has_path("a/b")), "removed")
    call check(logical(c_conduit_datatype_is_object(conduit_node_dtype(n%cnode)) == 1), "object")

    mesh = conduit_node_create()
    call conduit_blueprint_mesh_examples_braid("hexs", 3_C_SIZE_T, 3_C_SIZE_T, 3_C_SIZE_T, mesh)
    call check(logical(conduit_blueprint_mesh_verify(mesh, info%cnode)), "mesh")
    call conduit_blueprint_mesh_generate_index(mesh, "", 1_C_SIZE_T, other%cnode)
    call check(logical(other%fetch_path_as_int32("fields/vel/number_of_components") == 3), "index")
    call conduit_blueprint_mcarray_examples_xyz("interleaved", 5_C_SIZE_T, mesh)
    call check(logical(conduit_blueprint_mcarray_is_interleaved(mesh)), "interleaved")
    call conduit_blueprint_table_examples_basic(2_C_SIZE_T, 2_C_SIZE_T, 2_C_SIZE_T, mesh)
    call check(logical(conduit_blueprint_table_verify(mesh, info%cnode)), "table")
    call conduit_relay_about(mesh)
    call check(logical(conduit_endianness_little_id == 2), "byte orders")
    call conduit_node_destroy(mesh)
    call conduit_node_obj_destroy(n)
    call conduit_node_obj_destroy(other)
    call conduit_node_obj_destroy(info)
    print *, "all is well"

contains

    subroutine check(holds, what)
        logical, intent(in) :: holds
        character(*), intent(in) :: what
        if (.not. holds) then
            print *, "wrong: ", what
            error stop
        end if
    end subroutine
end program tree
