! Byte orders: the names of conduit's module `conduit_endianness_enum`.
module conduit_endianness_enum
    use, intrinsic :: iso_c_binding
    implicit none

    enum, bind(C)
        enumerator :: conduit_endianness_type_id = 0  ! for kind()
        enumerator :: conduit_endianness_default_id = 0
        enumerator :: conduit_endianness_big_id = 1
        enumerator :: conduit_endianness_little_id = 2
    end enum
end module conduit_endianness_enum
