! Conduit's Fortran interface: the names, arguments and kinds of conduit's module `conduit`, as far
! as simulations use it. What takes no text is C's function itself; what takes a text hands it on
! with C's ending. Trailing blanks are cut, as conduit does.
!
! These objects become part of libconduit.so, which C programs load as well: nothing here may need
! a Fortran runtime library (texts are copied by loops, not by trim and //).
!
! Interfaces are written out, also where several are alike: for procedures that share an abstract one,
! `procedure(alike), bind(C, name="...") :: name`, gfortran 12 forgets VALUE from the second call in a
! program unit on, and passes references. What repeats for each type of numbers does so because
! Fortran has no templates, and compilers do not agree on a preprocessor that joins names.
module conduit
    use, intrinsic :: iso_c_binding
    implicit none

    integer, parameter :: CONDUIT_EMPTY_ID = 0
    integer, parameter :: CONDUIT_OBJECT_ID = 1
    integer, parameter :: CONDUIT_LIST_ID = 2
    integer, parameter :: CONDUIT_INT8_ID = 3
    integer, parameter :: CONDUIT_INT16_ID = 4
    integer, parameter :: CONDUIT_INT32_ID = 5
    integer, parameter :: CONDUIT_INT64_ID = 6
    integer, parameter :: CONDUIT_UINT8_ID = 7
    integer, parameter :: CONDUIT_UINT16_ID = 8
    integer, parameter :: CONDUIT_UINT32_ID = 9
    integer, parameter :: CONDUIT_UINT64_ID = 10
    integer, parameter :: CONDUIT_FLOAT32_ID = 11
    integer, parameter :: CONDUIT_FLOAT64_ID = 12
    integer, parameter :: CONDUIT_CHAR8_STR_ID = 13
    integer, parameter :: CONDUIT_CHAR_ID = CONDUIT_INT8_ID
    integer, parameter :: CONDUIT_SHORT_ID = CONDUIT_INT16_ID
    integer, parameter :: CONDUIT_INT_ID = CONDUIT_INT32_ID
    integer, parameter :: CONDUIT_LONG_ID = CONDUIT_INT64_ID
    integer, parameter :: CONDUIT_FLOAT_ID = CONDUIT_FLOAT32_ID
    integer, parameter :: CONDUIT_DOUBLE_ID = CONDUIT_FLOAT64_ID
    integer, parameter :: CONDUIT_INDEX_ID = CONDUIT_INT64_ID

    interface
        ! ---- the tree

        subroutine conduit_about(cnode) bind(C, name="conduit_about")
            import
            type(C_PTR), value, intent(in) :: cnode
        end subroutine

        function conduit_node_create() result(res) bind(C, name="conduit_node_create")
            import
            type(C_PTR) :: res
        end function

        subroutine conduit_node_destroy(cnode) bind(C, name="conduit_node_destroy")
            import
            type(C_PTR), value, intent(in) :: cnode
        end subroutine

        subroutine conduit_node_reset(cnode) bind(C, name="conduit_node_reset")
            import
            type(C_PTR), value, intent(in) :: cnode
        end subroutine

        subroutine conduit_node_print(cnode) bind(C, name="conduit_node_print")
            import
            type(C_PTR), value, intent(in) :: cnode
        end subroutine

        subroutine conduit_node_print_detailed(cnode) bind(C, name="conduit_node_print_detailed")
            import
            type(C_PTR), value, intent(in) :: cnode
        end subroutine

        function conduit_node_append(cnode) result(res) bind(C, name="conduit_node_append")
            import
            type(C_PTR), value, intent(in) :: cnode
            type(C_PTR) :: res
        end function

        function conduit_node_parent(cnode) result(res) bind(C, name="conduit_node_parent")
            import
            type(C_PTR), value, intent(in) :: cnode
            type(C_PTR) :: res
        end function

        function conduit_node_number_of_elements(cnode) result(res) &
            bind(C, name="conduit_node_number_of_elements")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_SIZE_T) :: res
        end function

        function conduit_node_number_of_children(cnode) result(res) &
            bind(C, name="conduit_node_number_of_children")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_SIZE_T) :: res
        end function

        function conduit_node_total_strided_bytes(cnode) result(res) &
            bind(C, name="conduit_node_total_strided_bytes")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_SIZE_T) :: res
        end function

        function conduit_node_total_bytes_allocated(cnode) result(res) &
            bind(C, name="conduit_node_total_bytes_allocated")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_SIZE_T) :: res
        end function

        function conduit_node_total_bytes_compact(cnode) result(res) &
            bind(C, name="conduit_node_total_bytes_compact")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_SIZE_T) :: res
        end function

        function conduit_node_child(cnode, idx) result(res) bind(C, name="conduit_node_child")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_SIZE_T), value, intent(in) :: idx
            type(C_PTR) :: res
        end function

        subroutine conduit_node_remove_child(cnode, idx) bind(C, name="conduit_node_remove_child")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_SIZE_T), value, intent(in) :: idx
        end subroutine

        subroutine conduit_node_move(cnode, from) bind(C, name="conduit_node_move")
            import
            type(C_PTR), value, intent(in) :: cnode, from
        end subroutine

        subroutine conduit_node_swap(cnode, cother) bind(C, name="conduit_node_swap")
            import
            type(C_PTR), value, intent(in) :: cnode, cother
        end subroutine

        subroutine conduit_node_update(cnode, cother) bind(C, name="conduit_node_update")
            import
            type(C_PTR), value, intent(in) :: cnode, cother
        end subroutine

        subroutine conduit_node_update_compatible(cnode, cother) &
            bind(C, name="conduit_node_update_compatible")
            import
            type(C_PTR), value, intent(in) :: cnode, cother
        end subroutine

        subroutine conduit_node_update_external(cnode, cother) &
            bind(C, name="conduit_node_update_external")
            import
            type(C_PTR), value, intent(in) :: cnode, cother
        end subroutine

        subroutine conduit_node_info(cnode, cres) bind(C, name="conduit_node_info")
            import
            type(C_PTR), value, intent(in) :: cnode, cres
        end subroutine

        function c_conduit_node_diff(cnode, cother, cinfo, epsilon) result(res) &
            bind(C, name="conduit_node_diff")
            import
            type(C_PTR), value, intent(in) :: cnode, cother, cinfo
            real(C_DOUBLE), value, intent(in) :: epsilon
            integer(C_INT) :: res
        end function

        function c_conduit_node_diff_compatible(cnode, cother, cinfo, epsilon) result(res) &
            bind(C, name="conduit_node_diff_compatible")
            import
            type(C_PTR), value, intent(in) :: cnode, cother, cinfo
            real(C_DOUBLE), value, intent(in) :: epsilon
            integer(C_INT) :: res
        end function

        function c_conduit_node_compatible(cnode, cother) result(res) &
            bind(C, name="conduit_node_compatible")
            import
            type(C_PTR), value, intent(in) :: cnode, cother
            integer(C_INT) :: res
        end function

        function c_conduit_node_contiguous_with_node(cnode, cother) result(res) &
            bind(C, name="conduit_node_contiguous_with_node")
            import
            type(C_PTR), value, intent(in) :: cnode, cother
            integer(C_INT) :: res
        end function

        function c_conduit_node_is_compact(cnode) result(res) bind(C, &
            name="conduit_node_is_compact")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT) :: res
        end function

        function c_conduit_node_is_contiguous(cnode) result(res) bind(C, &
            name="conduit_node_is_contiguous")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT) :: res
        end function

        subroutine conduit_node_set_node(cnode, cother) bind(C, name="conduit_node_set_node")
            import
            type(C_PTR), value, intent(in) :: cnode, cother
        end subroutine

        subroutine conduit_node_set_external_node(cnode, cother) &
            bind(C, name="conduit_node_set_external_node")
            import
            type(C_PTR), value, intent(in) :: cnode, cother
        end subroutine

        subroutine conduit_node_compact_to(cnode, cother) bind(C, name="conduit_node_compact_to")
            import
            type(C_PTR), value, intent(in) :: cnode, cother
        end subroutine

        function conduit_node_dtype(cnode) result(res) bind(C, name="conduit_node_dtype")
            import
            type(C_PTR), value, intent(in) :: cnode
            type(C_PTR) :: res
        end function

        function conduit_datatype_sizeof_index_t() result(res) &
            bind(C, name="conduit_datatype_sizeof_index_t")
            import
            integer(C_INT) :: res
        end function

        function conduit_datatype_id(datatype) result(res) bind(C, name="conduit_datatype_id")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_SIZE_T) :: res
        end function

        function conduit_datatype_offset(datatype) result(res) &
            bind(C, name="conduit_datatype_offset")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_SIZE_T) :: res
        end function

        function conduit_datatype_stride(datatype) result(res) &
            bind(C, name="conduit_datatype_stride")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_SIZE_T) :: res
        end function

        function conduit_datatype_element_bytes(datatype) result(res) &
            bind(C, name="conduit_datatype_element_bytes")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_SIZE_T) :: res
        end function

        function conduit_datatype_endianness(datatype) result(res) &
            bind(C, name="conduit_datatype_endianness")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_SIZE_T) :: res
        end function

        function c_conduit_datatype_is_empty(datatype) result(res) &
            bind(C, name="conduit_datatype_is_empty")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_object(datatype) result(res) &
            bind(C, name="conduit_datatype_is_object")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_list(datatype) result(res) &
            bind(C, name="conduit_datatype_is_list")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_number(datatype) result(res) &
            bind(C, name="conduit_datatype_is_number")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_floating_point(datatype) result(res) &
            bind(C, name="conduit_datatype_is_floating_point")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_integer(datatype) result(res) &
            bind(C, name="conduit_datatype_is_integer")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_signed_integer(datatype) result(res) &
            bind(C, name="conduit_datatype_is_signed_integer")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_unsigned_integer(datatype) result(res) &
            bind(C, name="conduit_datatype_is_unsigned_integer")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_int8(datatype) result(res) &
            bind(C, name="conduit_datatype_is_int8")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_int16(datatype) result(res) &
            bind(C, name="conduit_datatype_is_int16")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_int32(datatype) result(res) &
            bind(C, name="conduit_datatype_is_int32")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_int64(datatype) result(res) &
            bind(C, name="conduit_datatype_is_int64")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_uint8(datatype) result(res) &
            bind(C, name="conduit_datatype_is_uint8")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_uint16(datatype) result(res) &
            bind(C, name="conduit_datatype_is_uint16")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_uint32(datatype) result(res) &
            bind(C, name="conduit_datatype_is_uint32")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_uint64(datatype) result(res) &
            bind(C, name="conduit_datatype_is_uint64")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_float32(datatype) result(res) &
            bind(C, name="conduit_datatype_is_float32")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_float64(datatype) result(res) &
            bind(C, name="conduit_datatype_is_float64")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_char(datatype) result(res) &
            bind(C, name="conduit_datatype_is_char")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_short(datatype) result(res) &
            bind(C, name="conduit_datatype_is_short")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_int(datatype) result(res) &
            bind(C, name="conduit_datatype_is_int")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_long(datatype) result(res) &
            bind(C, name="conduit_datatype_is_long")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_unsigned_char(datatype) result(res) &
            bind(C, name="conduit_datatype_is_unsigned_char")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_unsigned_short(datatype) result(res) &
            bind(C, name="conduit_datatype_is_unsigned_short")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_unsigned_int(datatype) result(res) &
            bind(C, name="conduit_datatype_is_unsigned_int")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_unsigned_long(datatype) result(res) &
            bind(C, name="conduit_datatype_is_unsigned_long")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_float(datatype) result(res) &
            bind(C, name="conduit_datatype_is_float")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_double(datatype) result(res) &
            bind(C, name="conduit_datatype_is_double")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_string(datatype) result(res) &
            bind(C, name="conduit_datatype_is_string")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_char8_str(datatype) result(res) &
            bind(C, name="conduit_datatype_is_char8_str")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_little_endian(datatype) result(res) &
            bind(C, name="conduit_datatype_is_little_endian")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_is_big_endian(datatype) result(res) &
            bind(C, name="conduit_datatype_is_big_endian")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function c_conduit_datatype_endianness_matches_machine(datatype) result(res) &
            bind(C, name="conduit_datatype_endianness_matches_machine")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_INT) :: res
        end function

        function conduit_datatype_number_of_elements(datatype) result(res) &
            bind(C, name="conduit_datatype_number_of_elements")
            import
            type(C_PTR), value, intent(in) :: datatype
            integer(C_SIZE_T) :: res
        end function

        ! ---- numbers

        subroutine conduit_node_set_int32(cnode, val) bind(C, name="conduit_node_set_int32")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT32_T), value, intent(in) :: val
        end subroutine

        subroutine conduit_node_set_int32_ptr(cnode, data, num_elements) &
            bind(C, name="conduit_node_set_int32_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT32_T), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine conduit_node_set_external_int32_ptr(cnode, data, num_elements) &
            bind(C, name="conduit_node_set_external_int32_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT32_T), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine conduit_node_set_external_int32_ptr_detailed(cnode, data, num_elements, &
            offset, stride, element_bytes, endianness) &
            bind(C, name="conduit_node_set_external_int32_ptr_detailed")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT32_T), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements, offset, stride
            integer(C_SIZE_T), value, intent(in) :: element_bytes, endianness
        end subroutine

        function conduit_node_as_int32(cnode) result(res) bind(C, name="conduit_node_as_int32")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT32_T) :: res
        end function

        function c_conduit_node_as_int32_ptr(cnode) result(res) &
            bind(C, name="conduit_node_as_int32_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            type(C_PTR) :: res
        end function

        subroutine conduit_node_set_int64(cnode, val) bind(C, name="conduit_node_set_int64")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT64_T), value, intent(in) :: val
        end subroutine

        subroutine conduit_node_set_int64_ptr(cnode, data, num_elements) &
            bind(C, name="conduit_node_set_int64_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT64_T), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine conduit_node_set_external_int64_ptr(cnode, data, num_elements) &
            bind(C, name="conduit_node_set_external_int64_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT64_T), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine conduit_node_set_external_int64_ptr_detailed(cnode, data, num_elements, &
            offset, stride, element_bytes, endianness) &
            bind(C, name="conduit_node_set_external_int64_ptr_detailed")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT64_T), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements, offset, stride
            integer(C_SIZE_T), value, intent(in) :: element_bytes, endianness
        end subroutine

        function conduit_node_as_int64(cnode) result(res) bind(C, name="conduit_node_as_int64")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT64_T) :: res
        end function

        function c_conduit_node_as_int64_ptr(cnode) result(res) &
            bind(C, name="conduit_node_as_int64_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            type(C_PTR) :: res
        end function

        subroutine conduit_node_set_float32(cnode, val) bind(C, name="conduit_node_set_float32")
            import
            type(C_PTR), value, intent(in) :: cnode
            real(C_FLOAT), value, intent(in) :: val
        end subroutine

        subroutine conduit_node_set_float32_ptr(cnode, data, num_elements) &
            bind(C, name="conduit_node_set_float32_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            real(C_FLOAT), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine conduit_node_set_external_float32_ptr(cnode, data, num_elements) &
            bind(C, name="conduit_node_set_external_float32_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            real(C_FLOAT), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine conduit_node_set_external_float32_ptr_detailed(cnode, data, num_elements, &
            offset, stride, element_bytes, endianness) &
            bind(C, name="conduit_node_set_external_float32_ptr_detailed")
            import
            type(C_PTR), value, intent(in) :: cnode
            real(C_FLOAT), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements, offset, stride
            integer(C_SIZE_T), value, intent(in) :: element_bytes, endianness
        end subroutine

        function conduit_node_as_float32(cnode) result(res) bind(C, name="conduit_node_as_float32")
            import
            type(C_PTR), value, intent(in) :: cnode
            real(C_FLOAT) :: res
        end function

        function c_conduit_node_as_float32_ptr(cnode) result(res) &
            bind(C, name="conduit_node_as_float32_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            type(C_PTR) :: res
        end function

        subroutine conduit_node_set_float64(cnode, val) bind(C, name="conduit_node_set_float64")
            import
            type(C_PTR), value, intent(in) :: cnode
            real(C_DOUBLE), value, intent(in) :: val
        end subroutine

        subroutine conduit_node_set_float64_ptr(cnode, data, num_elements) &
            bind(C, name="conduit_node_set_float64_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            real(C_DOUBLE), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine conduit_node_set_external_float64_ptr(cnode, data, num_elements) &
            bind(C, name="conduit_node_set_external_float64_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            real(C_DOUBLE), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine conduit_node_set_external_float64_ptr_detailed(cnode, data, num_elements, &
            offset, stride, element_bytes, endianness) &
            bind(C, name="conduit_node_set_external_float64_ptr_detailed")
            import
            type(C_PTR), value, intent(in) :: cnode
            real(C_DOUBLE), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements, offset, stride
            integer(C_SIZE_T), value, intent(in) :: element_bytes, endianness
        end subroutine

        function conduit_node_as_float64(cnode) result(res) bind(C, name="conduit_node_as_float64")
            import
            type(C_PTR), value, intent(in) :: cnode
            real(C_DOUBLE) :: res
        end function

        function c_conduit_node_as_float64_ptr(cnode) result(res) &
            bind(C, name="conduit_node_as_float64_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            type(C_PTR) :: res
        end function

        subroutine conduit_node_set_int(cnode, val) bind(C, name="conduit_node_set_int")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT), value, intent(in) :: val
        end subroutine

        function conduit_node_as_int(cnode) result(res) bind(C, name="conduit_node_as_int")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT) :: res
        end function

        subroutine conduit_node_set_double(cnode, val) bind(C, name="conduit_node_set_double")
            import
            type(C_PTR), value, intent(in) :: cnode
            real(C_DOUBLE), value, intent(in) :: val
        end subroutine

        function conduit_node_as_double(cnode) result(res) bind(C, name="conduit_node_as_double")
            import
            type(C_PTR), value, intent(in) :: cnode
            real(C_DOUBLE) :: res
        end function

        ! ---- C's functions behind those that take texts

        function c_conduit_node_fetch(cnode, path) result(res) bind(C, name="conduit_node_fetch")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            type(C_PTR) :: res
        end function

        function c_conduit_node_fetch_existing(cnode, path) result(res) &
            bind(C, name="conduit_node_fetch_existing")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            type(C_PTR) :: res
        end function

        function c_conduit_node_child_by_name(cnode, name) result(res) &
            bind(C, name="conduit_node_child_by_name")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: name(*)
            type(C_PTR) :: res
        end function

        function c_conduit_node_add_child(cnode, name) result(res) &
            bind(C, name="conduit_node_add_child")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: name(*)
            type(C_PTR) :: res
        end function

        function c_conduit_node_has_path(cnode, path) result(res) &
            bind(C, name="conduit_node_has_path")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            integer(C_INT) :: res
        end function

        function c_conduit_node_has_child(cnode, name) result(res) &
            bind(C, name="conduit_node_has_child")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: name(*)
            integer(C_INT) :: res
        end function

        function c_conduit_node_is_root(cnode) result(res) bind(C, name="conduit_node_is_root")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT) :: res
        end function

        function c_conduit_node_is_data_external(cnode) result(res) &
            bind(C, name="conduit_node_is_data_external")
            import
            type(C_PTR), value, intent(in) :: cnode
            integer(C_INT) :: res
        end function

        subroutine c_conduit_node_remove_path(cnode, path) bind(C, name="conduit_node_remove_path")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
        end subroutine

        subroutine c_conduit_node_remove_child_by_name(cnode, name) &
            bind(C, name="conduit_node_remove_child_by_name")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: name(*)
        end subroutine

        subroutine c_conduit_node_rename_child(cnode, old_name, new_name) &
            bind(C, name="conduit_node_rename_child")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: old_name(*), new_name(*)
        end subroutine

        subroutine c_conduit_node_parse(cnode, schema, protocol) bind(C, name="conduit_node_parse")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: schema(*), protocol(*)
        end subroutine

        subroutine c_conduit_node_load(cnode, path, protocol) bind(C, name="conduit_node_load")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*), protocol(*)
        end subroutine

        subroutine c_conduit_node_save(cnode, path, protocol) bind(C, name="conduit_node_save")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*), protocol(*)
        end subroutine

        subroutine c_conduit_node_set_path_node(cnode, path, cother) &
            bind(C, name="conduit_node_set_path_node")
            import
            type(C_PTR), value, intent(in) :: cnode, cother
            character(kind=C_CHAR), intent(in) :: path(*)
        end subroutine

        subroutine c_conduit_node_set_path_external_node(cnode, path, cother) &
            bind(C, name="conduit_node_set_path_external_node")
            import
            type(C_PTR), value, intent(in) :: cnode, cother
            character(kind=C_CHAR), intent(in) :: path(*)
        end subroutine

        subroutine c_conduit_node_set_char8_str(cnode, val) &
            bind(C, name="conduit_node_set_char8_str")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: val(*)
        end subroutine

        subroutine c_conduit_node_set_path_char8_str(cnode, path, val) &
            bind(C, name="conduit_node_set_path_char8_str")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*), val(*)
        end subroutine

        function c_conduit_node_as_char8_str(cnode) result(res) &
            bind(C, name="conduit_node_as_char8_str")
            import
            type(C_PTR), value, intent(in) :: cnode
            type(C_PTR) :: res
        end function

        subroutine c_conduit_node_set_path_int32(cnode, path, val) &
            bind(C, name="conduit_node_set_path_int32")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            integer(C_INT32_T), value, intent(in) :: val
        end subroutine

        subroutine c_conduit_node_set_path_int32_ptr(cnode, path, data, num_elements) &
            bind(C, name="conduit_node_set_path_int32_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            integer(C_INT32_T), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine c_conduit_node_set_path_external_int32_ptr(cnode, path, data, num_elements) &
            bind(C, name="conduit_node_set_path_external_int32_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            integer(C_INT32_T), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine c_conduit_node_set_path_ext_int32_detailed(cnode, path, data, num_elements, &
            offset, stride, element_bytes, endianness) &
            bind(C, name="conduit_node_set_path_external_int32_ptr_detailed")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            integer(C_INT32_T), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements, offset, stride
            integer(C_SIZE_T), value, intent(in) :: element_bytes, endianness
        end subroutine

        function c_conduit_node_fetch_path_as_int32(cnode, path) result(res) &
            bind(C, name="conduit_node_fetch_path_as_int32")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            integer(C_INT32_T) :: res
        end function

        subroutine c_conduit_node_set_path_int64(cnode, path, val) &
            bind(C, name="conduit_node_set_path_int64")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            integer(C_INT64_T), value, intent(in) :: val
        end subroutine

        subroutine c_conduit_node_set_path_int64_ptr(cnode, path, data, num_elements) &
            bind(C, name="conduit_node_set_path_int64_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            integer(C_INT64_T), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine c_conduit_node_set_path_external_int64_ptr(cnode, path, data, num_elements) &
            bind(C, name="conduit_node_set_path_external_int64_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            integer(C_INT64_T), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine c_conduit_node_set_path_ext_int64_detailed(cnode, path, data, num_elements, &
            offset, stride, element_bytes, endianness) &
            bind(C, name="conduit_node_set_path_external_int64_ptr_detailed")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            integer(C_INT64_T), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements, offset, stride
            integer(C_SIZE_T), value, intent(in) :: element_bytes, endianness
        end subroutine

        function c_conduit_node_fetch_path_as_int64(cnode, path) result(res) &
            bind(C, name="conduit_node_fetch_path_as_int64")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            integer(C_INT64_T) :: res
        end function

        subroutine c_conduit_node_set_path_float32(cnode, path, val) &
            bind(C, name="conduit_node_set_path_float32")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            real(C_FLOAT), value, intent(in) :: val
        end subroutine

        subroutine c_conduit_node_set_path_float32_ptr(cnode, path, data, num_elements) &
            bind(C, name="conduit_node_set_path_float32_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            real(C_FLOAT), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine c_conduit_node_set_path_external_float32_ptr(cnode, path, data, num_elements) &
            bind(C, name="conduit_node_set_path_external_float32_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            real(C_FLOAT), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine c_conduit_node_set_path_ext_float32_detailed(cnode, path, data, num_elements, &
            offset, stride, element_bytes, endianness) &
            bind(C, name="conduit_node_set_path_external_float32_ptr_detailed")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            real(C_FLOAT), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements, offset, stride
            integer(C_SIZE_T), value, intent(in) :: element_bytes, endianness
        end subroutine

        function c_conduit_node_fetch_path_as_float32(cnode, path) result(res) &
            bind(C, name="conduit_node_fetch_path_as_float32")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            real(C_FLOAT) :: res
        end function

        subroutine c_conduit_node_set_path_float64(cnode, path, val) &
            bind(C, name="conduit_node_set_path_float64")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            real(C_DOUBLE), value, intent(in) :: val
        end subroutine

        subroutine c_conduit_node_set_path_float64_ptr(cnode, path, data, num_elements) &
            bind(C, name="conduit_node_set_path_float64_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            real(C_DOUBLE), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine c_conduit_node_set_path_external_float64_ptr(cnode, path, data, num_elements) &
            bind(C, name="conduit_node_set_path_external_float64_ptr")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            real(C_DOUBLE), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements
        end subroutine

        subroutine c_conduit_node_set_path_ext_float64_detailed(cnode, path, data, num_elements, &
            offset, stride, element_bytes, endianness) &
            bind(C, name="conduit_node_set_path_external_float64_ptr_detailed")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            real(C_DOUBLE), intent(in) :: data(*)
            integer(C_SIZE_T), value, intent(in) :: num_elements, offset, stride
            integer(C_SIZE_T), value, intent(in) :: element_bytes, endianness
        end subroutine

        function c_conduit_node_fetch_path_as_float64(cnode, path) result(res) &
            bind(C, name="conduit_node_fetch_path_as_float64")
            import
            type(C_PTR), value, intent(in) :: cnode
            character(kind=C_CHAR), intent(in) :: path(*)
            real(C_DOUBLE) :: res
        end function
    end interface

contains

    ! A text without its trailing blanks, as C ends one.
    pure function conduit_c_text(text) result(res)
        character(*), intent(in) :: text
        character(kind=C_CHAR) :: res(len(text) + 1)
        integer :: i, n
        n = len(text)
        do while (n > 0)
            if (iachar(text(n:n)) /= iachar(' ')) exit
            n = n - 1
        end do
        do i = 1, n
            res(i) = text(i:i)
        end do
        do i = n + 1, len(text) + 1
            res(i) = C_NULL_CHAR
        end do
    end function

    function conduit_node_fetch(cnode, path) result(res)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        type(C_PTR) :: res
        res = c_conduit_node_fetch(cnode, conduit_c_text(path))
    end function

    function conduit_node_fetch_existing(cnode, path) result(res)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        type(C_PTR) :: res
        res = c_conduit_node_fetch_existing(cnode, conduit_c_text(path))
    end function

    function conduit_node_child_by_name(cnode, name) result(res)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: name
        type(C_PTR) :: res
        res = c_conduit_node_child_by_name(cnode, conduit_c_text(name))
    end function

    function conduit_node_add_child(cnode, name) result(res)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: name
        type(C_PTR) :: res
        res = c_conduit_node_add_child(cnode, conduit_c_text(name))
    end function

    function conduit_node_has_path(cnode, path) result(res)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        logical(C_BOOL) :: res
        res = c_conduit_node_has_path(cnode, conduit_c_text(path)) == 1
    end function

    function conduit_node_has_child(cnode, name) result(res)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: name
        logical(C_BOOL) :: res
        res = c_conduit_node_has_child(cnode, conduit_c_text(name)) == 1
    end function

    function conduit_node_is_root(cnode) result(res)
        type(C_PTR), value, intent(in) :: cnode
        logical(C_BOOL) :: res
        res = c_conduit_node_is_root(cnode) == 1
    end function

    function conduit_node_is_data_external(cnode) result(res)
        type(C_PTR), value, intent(in) :: cnode
        logical(C_BOOL) :: res
        res = c_conduit_node_is_data_external(cnode) == 1
    end function

    subroutine conduit_node_remove_path(cnode, path)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        call c_conduit_node_remove_path(cnode, conduit_c_text(path))
    end subroutine

    subroutine conduit_node_remove_child_by_name(cnode, name)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: name
        call c_conduit_node_remove_child_by_name(cnode, conduit_c_text(name))
    end subroutine

    subroutine conduit_node_rename_child(cnode, old_name, new_name)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: old_name, new_name
        call c_conduit_node_rename_child(cnode, conduit_c_text(old_name), conduit_c_text(new_name))
    end subroutine

    subroutine conduit_node_parse(cnode, schema, protocol)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: schema, protocol
        call c_conduit_node_parse(cnode, conduit_c_text(schema), conduit_c_text(protocol))
    end subroutine

    subroutine conduit_node_load(cnode, path, protocol)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path, protocol
        call c_conduit_node_load(cnode, conduit_c_text(path), conduit_c_text(protocol))
    end subroutine

    subroutine conduit_node_save(cnode, path, protocol)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path, protocol
        call c_conduit_node_save(cnode, conduit_c_text(path), conduit_c_text(protocol))
    end subroutine

    subroutine conduit_node_set_path_node(cnode, path, cother)
        type(C_PTR), value, intent(in) :: cnode, cother
        character(*), intent(in) :: path
        call c_conduit_node_set_path_node(cnode, conduit_c_text(path), cother)
    end subroutine

    subroutine conduit_node_set_path_external_node(cnode, path, cother)
        type(C_PTR), value, intent(in) :: cnode, cother
        character(*), intent(in) :: path
        call c_conduit_node_set_path_external_node(cnode, conduit_c_text(path), cother)
    end subroutine

    subroutine conduit_node_set_char8_str(cnode, val)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: val
        call c_conduit_node_set_char8_str(cnode, conduit_c_text(val))
    end subroutine

    subroutine conduit_node_set_path_char8_str(cnode, path, val)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path, val
        call c_conduit_node_set_path_char8_str(cnode, conduit_c_text(path), conduit_c_text(val))
    end subroutine

    subroutine conduit_node_as_char8_str(cnode, f_out)
        type(C_PTR), value, intent(in) :: cnode
        character, pointer :: f_out(:)
        call c_f_pointer(c_conduit_node_as_char8_str(cnode), f_out, &
            [conduit_node_number_of_elements(cnode)])
    end subroutine

    subroutine conduit_node_fetch_path_as_char8_str(cnode, path, f_out)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        character, pointer :: f_out(:)
        call conduit_node_as_char8_str(conduit_node_fetch_existing(cnode, path), f_out)
    end subroutine

    subroutine conduit_node_set_path_int32(cnode, path, val)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        integer(C_INT32_T), value, intent(in) :: val
        call c_conduit_node_set_path_int32(cnode, conduit_c_text(path), val)
    end subroutine

    subroutine conduit_node_set_path_int32_ptr(cnode, path, data, num_elements)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        integer(C_INT32_T), intent(in) :: data(*)
        integer(C_SIZE_T), value, intent(in) :: num_elements
        call c_conduit_node_set_path_int32_ptr(cnode, conduit_c_text(path), data, num_elements)
    end subroutine

    subroutine conduit_node_set_path_external_int32_ptr(cnode, path, data, num_elements)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        integer(C_INT32_T), intent(in) :: data(*)
        integer(C_SIZE_T), value, intent(in) :: num_elements
        call c_conduit_node_set_path_external_int32_ptr(cnode, conduit_c_text(path), data, &
            num_elements)
    end subroutine

    subroutine conduit_node_set_path_external_int32_ptr_detailed(cnode, path, data, &
            num_elements, offset, stride, element_bytes, endianness)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        integer(C_INT32_T), intent(in) :: data(*)
        integer(C_SIZE_T), value, intent(in) :: num_elements, offset, stride
        integer(C_SIZE_T), value, intent(in) :: element_bytes, endianness
        call c_conduit_node_set_path_ext_int32_detailed(cnode, conduit_c_text(path), data, &
            num_elements, &
            offset, stride, element_bytes, endianness)
    end subroutine

    function conduit_node_fetch_path_as_int32(cnode, path) result(res)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        integer(C_INT32_T) :: res
        res = c_conduit_node_fetch_path_as_int32(cnode, conduit_c_text(path))
    end function

    subroutine conduit_node_as_int32_ptr(cnode, f_out)
        type(C_PTR), value, intent(in) :: cnode
        integer(C_INT32_T), pointer :: f_out(:)
        call c_f_pointer(c_conduit_node_as_int32_ptr(cnode), f_out, &
            [conduit_node_number_of_elements(cnode)])
    end subroutine

    subroutine conduit_node_fetch_path_as_int32_ptr(cnode, path, f_out)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        integer(C_INT32_T), pointer :: f_out(:)
        call conduit_node_as_int32_ptr(conduit_node_fetch_existing(cnode, path), f_out)
    end subroutine

    subroutine conduit_node_set_path_int64(cnode, path, val)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        integer(C_INT64_T), value, intent(in) :: val
        call c_conduit_node_set_path_int64(cnode, conduit_c_text(path), val)
    end subroutine

    subroutine conduit_node_set_path_int64_ptr(cnode, path, data, num_elements)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        integer(C_INT64_T), intent(in) :: data(*)
        integer(C_SIZE_T), value, intent(in) :: num_elements
        call c_conduit_node_set_path_int64_ptr(cnode, conduit_c_text(path), data, num_elements)
    end subroutine

    subroutine conduit_node_set_path_external_int64_ptr(cnode, path, data, num_elements)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        integer(C_INT64_T), intent(in) :: data(*)
        integer(C_SIZE_T), value, intent(in) :: num_elements
        call c_conduit_node_set_path_external_int64_ptr(cnode, conduit_c_text(path), data, &
            num_elements)
    end subroutine

    subroutine conduit_node_set_path_external_int64_ptr_detailed(cnode, path, data, &
            num_elements, offset, stride, element_bytes, endianness)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        integer(C_INT64_T), intent(in) :: data(*)
        integer(C_SIZE_T), value, intent(in) :: num_elements, offset, stride
        integer(C_SIZE_T), value, intent(in) :: element_bytes, endianness
        call c_conduit_node_set_path_ext_int64_detailed(cnode, conduit_c_text(path), data, &
            num_elements, &
            offset, stride, element_bytes, endianness)
    end subroutine

    function conduit_node_fetch_path_as_int64(cnode, path) result(res)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        integer(C_INT64_T) :: res
        res = c_conduit_node_fetch_path_as_int64(cnode, conduit_c_text(path))
    end function

    subroutine conduit_node_as_int64_ptr(cnode, f_out)
        type(C_PTR), value, intent(in) :: cnode
        integer(C_INT64_T), pointer :: f_out(:)
        call c_f_pointer(c_conduit_node_as_int64_ptr(cnode), f_out, &
            [conduit_node_number_of_elements(cnode)])
    end subroutine

    subroutine conduit_node_fetch_path_as_int64_ptr(cnode, path, f_out)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        integer(C_INT64_T), pointer :: f_out(:)
        call conduit_node_as_int64_ptr(conduit_node_fetch_existing(cnode, path), f_out)
    end subroutine

    subroutine conduit_node_set_path_float32(cnode, path, val)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        real(C_FLOAT), value, intent(in) :: val
        call c_conduit_node_set_path_float32(cnode, conduit_c_text(path), val)
    end subroutine

    subroutine conduit_node_set_path_float32_ptr(cnode, path, data, num_elements)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        real(C_FLOAT), intent(in) :: data(*)
        integer(C_SIZE_T), value, intent(in) :: num_elements
        call c_conduit_node_set_path_float32_ptr(cnode, conduit_c_text(path), data, num_elements)
    end subroutine

    subroutine conduit_node_set_path_external_float32_ptr(cnode, path, data, num_elements)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        real(C_FLOAT), intent(in) :: data(*)
        integer(C_SIZE_T), value, intent(in) :: num_elements
        call c_conduit_node_set_path_external_float32_ptr(cnode, conduit_c_text(path), data, &
            num_elements)
    end subroutine

    subroutine conduit_node_set_path_external_float32_ptr_detailed(cnode, path, data, &
            num_elements, offset, stride, element_bytes, endianness)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        real(C_FLOAT), intent(in) :: data(*)
        integer(C_SIZE_T), value, intent(in) :: num_elements, offset, stride
        integer(C_SIZE_T), value, intent(in) :: element_bytes, endianness
        call c_conduit_node_set_path_ext_float32_detailed(cnode, conduit_c_text(path), data, &
            num_elements, &
            offset, stride, element_bytes, endianness)
    end subroutine

    function conduit_node_fetch_path_as_float32(cnode, path) result(res)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        real(C_FLOAT) :: res
        res = c_conduit_node_fetch_path_as_float32(cnode, conduit_c_text(path))
    end function

    subroutine conduit_node_as_float32_ptr(cnode, f_out)
        type(C_PTR), value, intent(in) :: cnode
        real(C_FLOAT), pointer :: f_out(:)
        call c_f_pointer(c_conduit_node_as_float32_ptr(cnode), f_out, &
            [conduit_node_number_of_elements(cnode)])
    end subroutine

    subroutine conduit_node_fetch_path_as_float32_ptr(cnode, path, f_out)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        real(C_FLOAT), pointer :: f_out(:)
        call conduit_node_as_float32_ptr(conduit_node_fetch_existing(cnode, path), f_out)
    end subroutine

    subroutine conduit_node_set_path_float64(cnode, path, val)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        real(C_DOUBLE), value, intent(in) :: val
        call c_conduit_node_set_path_float64(cnode, conduit_c_text(path), val)
    end subroutine

    subroutine conduit_node_set_path_float64_ptr(cnode, path, data, num_elements)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        real(C_DOUBLE), intent(in) :: data(*)
        integer(C_SIZE_T), value, intent(in) :: num_elements
        call c_conduit_node_set_path_float64_ptr(cnode, conduit_c_text(path), data, num_elements)
    end subroutine

    subroutine conduit_node_set_path_external_float64_ptr(cnode, path, data, num_elements)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        real(C_DOUBLE), intent(in) :: data(*)
        integer(C_SIZE_T), value, intent(in) :: num_elements
        call c_conduit_node_set_path_external_float64_ptr(cnode, conduit_c_text(path), data, &
            num_elements)
    end subroutine

    subroutine conduit_node_set_path_external_float64_ptr_detailed(cnode, path, data, &
            num_elements, offset, stride, element_bytes, endianness)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        real(C_DOUBLE), intent(in) :: data(*)
        integer(C_SIZE_T), value, intent(in) :: num_elements, offset, stride
        integer(C_SIZE_T), value, intent(in) :: element_bytes, endianness
        call c_conduit_node_set_path_ext_float64_detailed(cnode, conduit_c_text(path), data, &
            num_elements, &
            offset, stride, element_bytes, endianness)
    end subroutine

    function conduit_node_fetch_path_as_float64(cnode, path) result(res)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        real(C_DOUBLE) :: res
        res = c_conduit_node_fetch_path_as_float64(cnode, conduit_c_text(path))
    end function

    subroutine conduit_node_as_float64_ptr(cnode, f_out)
        type(C_PTR), value, intent(in) :: cnode
        real(C_DOUBLE), pointer :: f_out(:)
        call c_f_pointer(c_conduit_node_as_float64_ptr(cnode), f_out, &
            [conduit_node_number_of_elements(cnode)])
    end subroutine

    subroutine conduit_node_fetch_path_as_float64_ptr(cnode, path, f_out)
        type(C_PTR), value, intent(in) :: cnode
        character(*), intent(in) :: path
        real(C_DOUBLE), pointer :: f_out(:)
        call conduit_node_as_float64_ptr(conduit_node_fetch_existing(cnode, path), f_out)
    end subroutine

    function conduit_node_diff(cnode, cother, cinfo, epsilon) result(res)
        type(C_PTR), value, intent(in) :: cnode, cother, cinfo
        real(C_DOUBLE), value, intent(in) :: epsilon
        logical(C_BOOL) :: res
        res = c_conduit_node_diff(cnode, cother, cinfo, epsilon) /= 0
    end function

    function conduit_node_diff_compatible(cnode, cother, cinfo, epsilon) result(res)
        type(C_PTR), value, intent(in) :: cnode, cother, cinfo
        real(C_DOUBLE), value, intent(in) :: epsilon
        logical(C_BOOL) :: res
        res = c_conduit_node_diff_compatible(cnode, cother, cinfo, epsilon) /= 0
    end function

    function conduit_node_compatible(cnode, cother) result(res)
        type(C_PTR), value, intent(in) :: cnode, cother
        logical(C_BOOL) :: res
        res = c_conduit_node_compatible(cnode, cother) /= 0
    end function

    function conduit_node_contiguous_with_node(cnode, cother) result(res)
        type(C_PTR), value, intent(in) :: cnode, cother
        logical(C_BOOL) :: res
        res = c_conduit_node_contiguous_with_node(cnode, cother) /= 0
    end function

    function conduit_node_is_compact(cnode) result(res)
        type(C_PTR), value, intent(in) :: cnode
        logical(C_BOOL) :: res
        res = c_conduit_node_is_compact(cnode) /= 0
    end function

    function conduit_node_is_contiguous(cnode) result(res)
        type(C_PTR), value, intent(in) :: cnode
        logical(C_BOOL) :: res
        res = c_conduit_node_is_contiguous(cnode) /= 0
    end function
end module conduit
