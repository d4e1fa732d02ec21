! Nodes as objects: the names of conduit's module `conduit_obj`. Each is what module `conduit` has
! under the name conduit_node_<name>; `set`, `set_path` and the like take any type.
!
! The procedures repeat for each type of numbers: a generic binding needs one for each, Fortran has no
! templates, and compilers do not agree on a preprocessor that joins names.
module conduit_obj
    use, intrinsic :: iso_c_binding
    use conduit
    implicit none
    private
    public :: node, conduit_node_obj_create, conduit_node_obj_destroy

    type node
        type(C_PTR) :: cnode = C_NULL_PTR
    contains
        procedure :: fetch => obj_fetch
        procedure :: fetch_existing => obj_fetch_existing
        procedure :: append => obj_append
        procedure :: child_by_index => obj_child_by_index
        procedure :: child_by_name => obj_child_by_name
        procedure :: add_child => obj_add_child
        procedure :: parent => obj_parent
        procedure :: info => obj_info
        procedure :: number_of_children => obj_number_of_children
        procedure :: number_of_elements => obj_number_of_elements
        procedure :: total_strided_bytes => obj_total_strided_bytes
        procedure :: total_bytes_compact => obj_total_bytes_compact
        procedure :: total_bytes_allocated => obj_total_bytes_allocated
        procedure :: print => obj_print
        procedure :: print_detailed => obj_print_detailed
        procedure :: reset => obj_reset
        procedure :: compact_to => obj_compact_to
        procedure :: update => obj_update
        procedure :: update_compatible => obj_update_compatible
        procedure :: update_external => obj_update_external
        procedure :: move => obj_move
        procedure :: swap => obj_swap
        procedure :: set_node => obj_set_node
        procedure :: set_external_node => obj_set_external_node
        procedure :: is_root => obj_is_root
        procedure :: is_compact => obj_is_compact
        procedure :: is_contiguous => obj_is_contiguous
        procedure :: is_data_external => obj_is_data_external
        procedure :: compatible => obj_compatible
        procedure :: diff => obj_diff
        procedure :: diff_compatible => obj_diff_compatible
        procedure :: parse => obj_parse
        procedure :: save => obj_save
        procedure :: load => obj_load
        procedure :: has_child => obj_has_child
        procedure :: has_path => obj_has_path
        procedure :: rename_child => obj_rename_child
        procedure :: remove_path => obj_remove_path
        procedure :: remove_child_by_index => obj_remove_child_by_index
        procedure :: remove_child_by_name => obj_remove_child_by_name
        procedure :: set_path_node => obj_set_path_node
        procedure :: set_path_external_node => obj_set_path_external_node
        procedure :: set_int32 => obj_set_int32
        procedure :: set_path_int32 => obj_set_path_int32
        procedure :: set_int32_ptr => obj_set_int32_ptr
        procedure :: set_path_int32_ptr => obj_set_path_int32_ptr
        procedure :: set_external_int32_ptr => obj_set_external_int32_ptr
        procedure :: set_path_external_int32_ptr => obj_set_path_external_int32_ptr
        procedure :: as_int32 => obj_as_int32
        procedure :: fetch_path_as_int32 => obj_fetch_path_as_int32
        procedure :: as_int32_ptr => obj_as_int32_ptr
        procedure :: fetch_path_as_int32_ptr => obj_fetch_path_as_int32_ptr
        procedure :: set_int64 => obj_set_int64
        procedure :: set_path_int64 => obj_set_path_int64
        procedure :: set_int64_ptr => obj_set_int64_ptr
        procedure :: set_path_int64_ptr => obj_set_path_int64_ptr
        procedure :: set_external_int64_ptr => obj_set_external_int64_ptr
        procedure :: set_path_external_int64_ptr => obj_set_path_external_int64_ptr
        procedure :: as_int64 => obj_as_int64
        procedure :: fetch_path_as_int64 => obj_fetch_path_as_int64
        procedure :: as_int64_ptr => obj_as_int64_ptr
        procedure :: fetch_path_as_int64_ptr => obj_fetch_path_as_int64_ptr
        procedure :: set_float32 => obj_set_float32
        procedure :: set_path_float32 => obj_set_path_float32
        procedure :: set_float32_ptr => obj_set_float32_ptr
        procedure :: set_path_float32_ptr => obj_set_path_float32_ptr
        procedure :: set_external_float32_ptr => obj_set_external_float32_ptr
        procedure :: set_path_external_float32_ptr => obj_set_path_external_float32_ptr
        procedure :: as_float32 => obj_as_float32
        procedure :: fetch_path_as_float32 => obj_fetch_path_as_float32
        procedure :: as_float32_ptr => obj_as_float32_ptr
        procedure :: fetch_path_as_float32_ptr => obj_fetch_path_as_float32_ptr
        procedure :: set_float64 => obj_set_float64
        procedure :: set_path_float64 => obj_set_path_float64
        procedure :: set_float64_ptr => obj_set_float64_ptr
        procedure :: set_path_float64_ptr => obj_set_path_float64_ptr
        procedure :: set_external_float64_ptr => obj_set_external_float64_ptr
        procedure :: set_path_external_float64_ptr => obj_set_path_external_float64_ptr
        procedure :: as_float64 => obj_as_float64
        procedure :: fetch_path_as_float64 => obj_fetch_path_as_float64
        procedure :: as_float64_ptr => obj_as_float64_ptr
        procedure :: fetch_path_as_float64_ptr => obj_fetch_path_as_float64_ptr
        procedure :: set_char8_str => obj_set_char8_str
        procedure :: set_path_char8_str => obj_set_path_char8_str
        procedure :: as_char8_str => obj_as_char8_str
        procedure :: fetch_path_as_char8_str => obj_fetch_path_as_char8_str
        procedure :: set_int => obj_set_int
        procedure :: as_int => obj_as_int
        procedure :: set_double => obj_set_double
        procedure :: as_double => obj_as_double

        generic :: remove => remove_path
        generic :: remove_child => remove_child_by_index, remove_child_by_name
        generic :: child => child_by_index, child_by_name
        generic :: set => set_node, set_int32, set_int64, set_float32, set_float64, &
            set_char8_str
        generic :: set_path => set_path_node, set_path_int32, set_path_int64, set_path_float32, &
            set_path_float64, set_path_char8_str
        generic :: set_ptr => set_int32_ptr, set_int64_ptr, set_float32_ptr, set_float64_ptr
        generic :: set_path_ptr => set_path_int32_ptr, set_path_int64_ptr, set_path_float32_ptr, &
            set_path_float64_ptr
        generic :: set_external => set_external_node, set_external_int32_ptr, &
            set_external_int64_ptr, set_external_float32_ptr, set_external_float64_ptr
        generic :: set_path_external => set_path_external_node, set_path_external_int32_ptr, &
            set_path_external_int64_ptr, set_path_external_float32_ptr, &
            set_path_external_float64_ptr
    end type

contains

    function conduit_node_obj_create() result(obj)
        type(node) :: obj
        obj%cnode = conduit_node_create()
    end function

    subroutine conduit_node_obj_destroy(obj)
        class(node) :: obj
        call conduit_node_destroy(obj%cnode)
        obj%cnode = C_NULL_PTR
    end subroutine

    function obj_fetch(obj, path) result(res)
        class(node) :: obj
        character(*) :: path
        type(node) :: res
        res%cnode = conduit_node_fetch(obj%cnode, path)
    end function

    function obj_fetch_existing(obj, path) result(res)
        class(node) :: obj
        character(*) :: path
        type(node) :: res
        res%cnode = conduit_node_fetch_existing(obj%cnode, path)
    end function

    function obj_append(obj) result(res)
        class(node) :: obj
        type(node) :: res
        res%cnode = conduit_node_append(obj%cnode)
    end function

    function obj_child_by_index(obj, idx) result(res)
        class(node) :: obj
        integer(C_SIZE_T) :: idx
        type(node) :: res
        res%cnode = conduit_node_child(obj%cnode, idx)
    end function

    function obj_child_by_name(obj, path) result(res)
        class(node) :: obj
        character(*) :: path
        type(node) :: res
        res%cnode = conduit_node_child_by_name(obj%cnode, path)
    end function

    function obj_add_child(obj, path) result(res)
        class(node) :: obj
        character(*) :: path
        type(node) :: res
        res%cnode = conduit_node_add_child(obj%cnode, path)
    end function

    function obj_parent(obj) result(res)
        class(node) :: obj
        type(node) :: res
        res%cnode = conduit_node_parent(obj%cnode)
    end function

    subroutine obj_info(obj, other)
        class(node) :: obj
        class(node) :: other
        call conduit_node_info(obj%cnode, other%cnode)
    end subroutine

    function obj_number_of_children(obj) result(res)
        class(node) :: obj
        integer(C_SIZE_T) :: res
        res = conduit_node_number_of_children(obj%cnode)
    end function

    function obj_number_of_elements(obj) result(res)
        class(node) :: obj
        integer(C_SIZE_T) :: res
        res = conduit_node_number_of_elements(obj%cnode)
    end function

    function obj_total_strided_bytes(obj) result(res)
        class(node) :: obj
        integer(C_SIZE_T) :: res
        res = conduit_node_total_strided_bytes(obj%cnode)
    end function

    function obj_total_bytes_compact(obj) result(res)
        class(node) :: obj
        integer(C_SIZE_T) :: res
        res = conduit_node_total_bytes_compact(obj%cnode)
    end function

    function obj_total_bytes_allocated(obj) result(res)
        class(node) :: obj
        integer(C_SIZE_T) :: res
        res = conduit_node_total_bytes_allocated(obj%cnode)
    end function

    subroutine obj_print(obj)
        class(node) :: obj
        call conduit_node_print(obj%cnode)
    end subroutine

    subroutine obj_print_detailed(obj)
        class(node) :: obj
        call conduit_node_print_detailed(obj%cnode)
    end subroutine

    subroutine obj_reset(obj)
        class(node) :: obj
        call conduit_node_reset(obj%cnode)
    end subroutine

    subroutine obj_compact_to(obj, other)
        class(node) :: obj
        class(node) :: other
        call conduit_node_compact_to(obj%cnode, other%cnode)
    end subroutine

    subroutine obj_update(obj, other)
        class(node) :: obj
        class(node) :: other
        call conduit_node_update(obj%cnode, other%cnode)
    end subroutine

    subroutine obj_update_compatible(obj, other)
        class(node) :: obj
        class(node) :: other
        call conduit_node_update_compatible(obj%cnode, other%cnode)
    end subroutine

    subroutine obj_update_external(obj, other)
        class(node) :: obj
        class(node) :: other
        call conduit_node_update_external(obj%cnode, other%cnode)
    end subroutine

    subroutine obj_move(obj, other)
        class(node) :: obj
        class(node) :: other
        call conduit_node_move(obj%cnode, other%cnode)
    end subroutine

    subroutine obj_swap(obj, other)
        class(node) :: obj
        class(node) :: other
        call conduit_node_swap(obj%cnode, other%cnode)
    end subroutine

    subroutine obj_set_node(obj, other)
        class(node) :: obj
        class(node) :: other
        call conduit_node_set_node(obj%cnode, other%cnode)
    end subroutine

    subroutine obj_set_external_node(obj, other)
        class(node) :: obj
        class(node) :: other
        call conduit_node_set_external_node(obj%cnode, other%cnode)
    end subroutine

    function obj_is_root(obj) result(res)
        class(node) :: obj
        logical(C_BOOL) :: res
        res = conduit_node_is_root(obj%cnode)
    end function

    function obj_is_compact(obj) result(res)
        class(node) :: obj
        logical(C_BOOL) :: res
        res = conduit_node_is_compact(obj%cnode)
    end function

    function obj_is_contiguous(obj) result(res)
        class(node) :: obj
        logical(C_BOOL) :: res
        res = conduit_node_is_contiguous(obj%cnode)
    end function

    function obj_is_data_external(obj) result(res)
        class(node) :: obj
        logical(C_BOOL) :: res
        res = conduit_node_is_data_external(obj%cnode)
    end function

    function obj_compatible(obj, other) result(res)
        class(node) :: obj
        class(node) :: other
        logical(C_BOOL) :: res
        res = conduit_node_compatible(obj%cnode, other%cnode)
    end function

    function obj_diff(obj, other, info, epsilon) result(res)
        class(node) :: obj
        class(node) :: other, info
        real(C_DOUBLE) :: epsilon
        logical(C_BOOL) :: res
        res = conduit_node_diff(obj%cnode, other%cnode, info%cnode, epsilon)
    end function

    function obj_diff_compatible(obj, other, info, epsilon) result(res)
        class(node) :: obj
        class(node) :: other, info
        real(C_DOUBLE) :: epsilon
        logical(C_BOOL) :: res
        res = conduit_node_diff_compatible(obj%cnode, other%cnode, info%cnode, epsilon)
    end function

    subroutine obj_parse(obj, schema, protocol)
        class(node) :: obj
        character(*) :: schema, protocol
        call conduit_node_parse(obj%cnode, schema, protocol)
    end subroutine

    subroutine obj_save(obj, path, protocol)
        class(node) :: obj
        character(*) :: path, protocol
        call conduit_node_save(obj%cnode, path, protocol)
    end subroutine

    subroutine obj_load(obj, path, protocol)
        class(node) :: obj
        character(*) :: path, protocol
        call conduit_node_load(obj%cnode, path, protocol)
    end subroutine

    function obj_has_child(obj, path) result(res)
        class(node) :: obj
        character(*) :: path
        logical(C_BOOL) :: res
        res = conduit_node_has_child(obj%cnode, path)
    end function

    function obj_has_path(obj, path) result(res)
        class(node) :: obj
        character(*) :: path
        logical(C_BOOL) :: res
        res = conduit_node_has_path(obj%cnode, path)
    end function

    subroutine obj_rename_child(obj, old_name, new_name)
        class(node) :: obj
        character(*) :: old_name, new_name
        call conduit_node_rename_child(obj%cnode, old_name, new_name)
    end subroutine

    subroutine obj_remove_path(obj, path)
        class(node) :: obj
        character(*) :: path
        call conduit_node_remove_path(obj%cnode, path)
    end subroutine

    subroutine obj_remove_child_by_index(obj, idx)
        class(node) :: obj
        integer(C_SIZE_T) :: idx
        call conduit_node_remove_child(obj%cnode, idx)
    end subroutine

    subroutine obj_remove_child_by_name(obj, path)
        class(node) :: obj
        character(*) :: path
        call conduit_node_remove_child_by_name(obj%cnode, path)
    end subroutine

    subroutine obj_set_path_node(obj, path, other)
        class(node) :: obj
        character(*) :: path
        class(node) :: other
        call conduit_node_set_path_node(obj%cnode, path, other%cnode)
    end subroutine

    subroutine obj_set_path_external_node(obj, path, other)
        class(node) :: obj
        character(*) :: path
        class(node) :: other
        call conduit_node_set_path_external_node(obj%cnode, path, other%cnode)
    end subroutine

    subroutine obj_set_int32(obj, val)
        class(node) :: obj
        integer(C_INT32_T) :: val
        call conduit_node_set_int32(obj%cnode, val)
    end subroutine

    subroutine obj_set_path_int32(obj, path, val)
        class(node) :: obj
        character(*) :: path
        integer(C_INT32_T) :: val
        call conduit_node_set_path_int32(obj%cnode, path, val)
    end subroutine

    subroutine obj_set_int32_ptr(obj, data, num_elements)
        class(node) :: obj
        integer(C_INT32_T) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_int32_ptr(obj%cnode, data, num_elements)
    end subroutine

    subroutine obj_set_path_int32_ptr(obj, path, data, num_elements)
        class(node) :: obj
        character(*) :: path
        integer(C_INT32_T) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_path_int32_ptr(obj%cnode, path, data, num_elements)
    end subroutine

    subroutine obj_set_external_int32_ptr(obj, data, num_elements)
        class(node) :: obj
        integer(C_INT32_T) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_external_int32_ptr(obj%cnode, data, num_elements)
    end subroutine

    subroutine obj_set_path_external_int32_ptr(obj, path, data, num_elements)
        class(node) :: obj
        character(*) :: path
        integer(C_INT32_T) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_path_external_int32_ptr(obj%cnode, path, data, num_elements)
    end subroutine

    function obj_as_int32(obj) result(res)
        class(node) :: obj
        integer(C_INT32_T) :: res
        res = conduit_node_as_int32(obj%cnode)
    end function

    function obj_fetch_path_as_int32(obj, path) result(res)
        class(node) :: obj
        character(*) :: path
        integer(C_INT32_T) :: res
        res = conduit_node_fetch_path_as_int32(obj%cnode, path)
    end function

    subroutine obj_as_int32_ptr(obj, f_out)
        class(node) :: obj
        integer(C_INT32_T), pointer :: f_out(:)
        call conduit_node_as_int32_ptr(obj%cnode, f_out)
    end subroutine

    subroutine obj_fetch_path_as_int32_ptr(obj, path, f_out)
        class(node) :: obj
        character(*) :: path
        integer(C_INT32_T), pointer :: f_out(:)
        call conduit_node_fetch_path_as_int32_ptr(obj%cnode, path, f_out)
    end subroutine

    subroutine obj_set_int64(obj, val)
        class(node) :: obj
        integer(C_INT64_T) :: val
        call conduit_node_set_int64(obj%cnode, val)
    end subroutine

    subroutine obj_set_path_int64(obj, path, val)
        class(node) :: obj
        character(*) :: path
        integer(C_INT64_T) :: val
        call conduit_node_set_path_int64(obj%cnode, path, val)
    end subroutine

    subroutine obj_set_int64_ptr(obj, data, num_elements)
        class(node) :: obj
        integer(C_INT64_T) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_int64_ptr(obj%cnode, data, num_elements)
    end subroutine

    subroutine obj_set_path_int64_ptr(obj, path, data, num_elements)
        class(node) :: obj
        character(*) :: path
        integer(C_INT64_T) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_path_int64_ptr(obj%cnode, path, data, num_elements)
    end subroutine

    subroutine obj_set_external_int64_ptr(obj, data, num_elements)
        class(node) :: obj
        integer(C_INT64_T) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_external_int64_ptr(obj%cnode, data, num_elements)
    end subroutine

    subroutine obj_set_path_external_int64_ptr(obj, path, data, num_elements)
        class(node) :: obj
        character(*) :: path
        integer(C_INT64_T) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_path_external_int64_ptr(obj%cnode, path, data, num_elements)
    end subroutine

    function obj_as_int64(obj) result(res)
        class(node) :: obj
        integer(C_INT64_T) :: res
        res = conduit_node_as_int64(obj%cnode)
    end function

    function obj_fetch_path_as_int64(obj, path) result(res)
        class(node) :: obj
        character(*) :: path
        integer(C_INT64_T) :: res
        res = conduit_node_fetch_path_as_int64(obj%cnode, path)
    end function

    subroutine obj_as_int64_ptr(obj, f_out)
        class(node) :: obj
        integer(C_INT64_T), pointer :: f_out(:)
        call conduit_node_as_int64_ptr(obj%cnode, f_out)
    end subroutine

    subroutine obj_fetch_path_as_int64_ptr(obj, path, f_out)
        class(node) :: obj
        character(*) :: path
        integer(C_INT64_T), pointer :: f_out(:)
        call conduit_node_fetch_path_as_int64_ptr(obj%cnode, path, f_out)
    end subroutine

    subroutine obj_set_float32(obj, val)
        class(node) :: obj
        real(C_FLOAT) :: val
        call conduit_node_set_float32(obj%cnode, val)
    end subroutine

    subroutine obj_set_path_float32(obj, path, val)
        class(node) :: obj
        character(*) :: path
        real(C_FLOAT) :: val
        call conduit_node_set_path_float32(obj%cnode, path, val)
    end subroutine

    subroutine obj_set_float32_ptr(obj, data, num_elements)
        class(node) :: obj
        real(C_FLOAT) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_float32_ptr(obj%cnode, data, num_elements)
    end subroutine

    subroutine obj_set_path_float32_ptr(obj, path, data, num_elements)
        class(node) :: obj
        character(*) :: path
        real(C_FLOAT) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_path_float32_ptr(obj%cnode, path, data, num_elements)
    end subroutine

    subroutine obj_set_external_float32_ptr(obj, data, num_elements)
        class(node) :: obj
        real(C_FLOAT) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_external_float32_ptr(obj%cnode, data, num_elements)
    end subroutine

    subroutine obj_set_path_external_float32_ptr(obj, path, data, num_elements)
        class(node) :: obj
        character(*) :: path
        real(C_FLOAT) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_path_external_float32_ptr(obj%cnode, path, data, num_elements)
    end subroutine

    function obj_as_float32(obj) result(res)
        class(node) :: obj
        real(C_FLOAT) :: res
        res = conduit_node_as_float32(obj%cnode)
    end function

    function obj_fetch_path_as_float32(obj, path) result(res)
        class(node) :: obj
        character(*) :: path
        real(C_FLOAT) :: res
        res = conduit_node_fetch_path_as_float32(obj%cnode, path)
    end function

    subroutine obj_as_float32_ptr(obj, f_out)
        class(node) :: obj
        real(C_FLOAT), pointer :: f_out(:)
        call conduit_node_as_float32_ptr(obj%cnode, f_out)
    end subroutine

    subroutine obj_fetch_path_as_float32_ptr(obj, path, f_out)
        class(node) :: obj
        character(*) :: path
        real(C_FLOAT), pointer :: f_out(:)
        call conduit_node_fetch_path_as_float32_ptr(obj%cnode, path, f_out)
    end subroutine

    subroutine obj_set_float64(obj, val)
        class(node) :: obj
        real(C_DOUBLE) :: val
        call conduit_node_set_float64(obj%cnode, val)
    end subroutine

    subroutine obj_set_path_float64(obj, path, val)
        class(node) :: obj
        character(*) :: path
        real(C_DOUBLE) :: val
        call conduit_node_set_path_float64(obj%cnode, path, val)
    end subroutine

    subroutine obj_set_float64_ptr(obj, data, num_elements)
        class(node) :: obj
        real(C_DOUBLE) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_float64_ptr(obj%cnode, data, num_elements)
    end subroutine

    subroutine obj_set_path_float64_ptr(obj, path, data, num_elements)
        class(node) :: obj
        character(*) :: path
        real(C_DOUBLE) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_path_float64_ptr(obj%cnode, path, data, num_elements)
    end subroutine

    subroutine obj_set_external_float64_ptr(obj, data, num_elements)
        class(node) :: obj
        real(C_DOUBLE) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_external_float64_ptr(obj%cnode, data, num_elements)
    end subroutine

    subroutine obj_set_path_external_float64_ptr(obj, path, data, num_elements)
        class(node) :: obj
        character(*) :: path
        real(C_DOUBLE) :: data(*)
        integer(C_SIZE_T) :: num_elements
        call conduit_node_set_path_external_float64_ptr(obj%cnode, path, data, num_elements)
    end subroutine

    function obj_as_float64(obj) result(res)
        class(node) :: obj
        real(C_DOUBLE) :: res
        res = conduit_node_as_float64(obj%cnode)
    end function

    function obj_fetch_path_as_float64(obj, path) result(res)
        class(node) :: obj
        character(*) :: path
        real(C_DOUBLE) :: res
        res = conduit_node_fetch_path_as_float64(obj%cnode, path)
    end function

    subroutine obj_as_float64_ptr(obj, f_out)
        class(node) :: obj
        real(C_DOUBLE), pointer :: f_out(:)
        call conduit_node_as_float64_ptr(obj%cnode, f_out)
    end subroutine

    subroutine obj_fetch_path_as_float64_ptr(obj, path, f_out)
        class(node) :: obj
        character(*) :: path
        real(C_DOUBLE), pointer :: f_out(:)
        call conduit_node_fetch_path_as_float64_ptr(obj%cnode, path, f_out)
    end subroutine

    subroutine obj_set_char8_str(obj, val)
        class(node) :: obj
        character(*) :: val
        call conduit_node_set_char8_str(obj%cnode, val)
    end subroutine

    subroutine obj_set_path_char8_str(obj, path, val)
        class(node) :: obj
        character(*) :: path, val
        call conduit_node_set_path_char8_str(obj%cnode, path, val)
    end subroutine

    subroutine obj_as_char8_str(obj, f_out)
        class(node) :: obj
        character, pointer :: f_out(:)
        call conduit_node_as_char8_str(obj%cnode, f_out)
    end subroutine

    subroutine obj_fetch_path_as_char8_str(obj, path, f_out)
        class(node) :: obj
        character(*) :: path
        character, pointer :: f_out(:)
        call conduit_node_fetch_path_as_char8_str(obj%cnode, path, f_out)
    end subroutine

    subroutine obj_set_int(obj, val)
        class(node) :: obj
        integer(C_INT) :: val
        call conduit_node_set_int(obj%cnode, val)
    end subroutine

    function obj_as_int(obj) result(res)
        class(node) :: obj
        integer(C_INT) :: res
        res = conduit_node_as_int(obj%cnode)
    end function

    subroutine obj_set_double(obj, val)
        class(node) :: obj
        real(C_DOUBLE) :: val
        call conduit_node_set_double(obj%cnode, val)
    end subroutine

    function obj_as_double(obj) result(res)
        class(node) :: obj
        real(C_DOUBLE) :: res
        res = conduit_node_as_double(obj%cnode)
    end function
end module conduit_obj
