! An acoustic pulse in a box, published from Fortran as CloverLeaf3D publishes its mesh: every rank a
! slab of a rectilinear grid with two layers of ghost cells, ascent_ghosts, cell values (density,
! energy, pressure) and a velocity on the nodes, all of them the simulation's own arrays.
!
! The pulse is a formula: a spherical shell that runs outwards and fades.
!
!   mpifort wave.f90 -I<fortran> -L<lib> -lascent_mpi -lconduit
!   mpiexec -n 4 ./a.out
program wave
    use, intrinsic :: iso_c_binding
    use mpi
    use conduit
    use conduit_blueprint
    use ascent
    implicit none

    integer, parameter :: real8 = C_DOUBLE, layers = 2, n = 48, steps = 40, visit_frequency = 10
    real(real8), parameter :: side = 10.0_real8
    real(real8), allocatable, target :: x(:), y(:), z(:)
    real(real8), allocatable, target :: density(:, :, :), energy(:, :, :), pressure(:, :, :)
    real(real8), allocatable, target :: ghosts(:, :, :), u(:, :, :), v(:, :, :), w(:, :, :)
    type(C_PTR) :: session, mesh, options, actions, info
    integer :: rank, ranks, error, first, cells, step

    call MPI_Init(error)
    call MPI_Comm_rank(MPI_COMM_WORLD, rank, error)
    call MPI_Comm_size(MPI_COMM_WORLD, ranks, error)
    call make_block()
    mesh = described()
    actions = wanted()

    options = conduit_node_create()
    call conduit_node_set_path_int32(options, "mpi_comm", MPI_COMM_WORLD)
    session = ascent_create()
    call ascent_open(session, options)
    info = conduit_node_create()
    if (.not. conduit_blueprint_mesh_verify(mesh, info)) then
        call conduit_node_print(info)
        call MPI_Abort(MPI_COMM_WORLD, 1, error)
    end if

    do step = 0, steps
        call fill(0.025_real8 * step)
        if (mod(step, visit_frequency) /= 0) cycle
        call ascent_timer_start("in_situ" // C_NULL_CHAR)
        call conduit_node_set_path_int32(mesh, "state/cycle", step)
        call conduit_node_set_path_float64(mesh, "state/time", 0.025_real8 * step)
        call ascent_publish(session, mesh)
        call ascent_execute(session, actions)
        call ascent_timer_stop("in_situ" // C_NULL_CHAR)
        if (rank == 0) call conduit_node_print(ascent_info_ref(session))
    end do

    call ascent_timer_write()
    call ascent_close(session)
    call ascent_destroy(session)
    call conduit_node_destroy(options)
    call conduit_node_destroy(actions)
    call conduit_node_destroy(info)
    call conduit_node_destroy(mesh)
    call MPI_Finalize(error)

contains

    ! This rank's slab: all cells in x and y, its share in z.
    subroutine make_block()
        integer :: i
        first = rank * n / ranks
        cells = (rank + 1) * n / ranks - first
        x = [(side * (i - layers) / n, i = 0, n + 2 * layers)]
        y = x
        z = [(side * (first + i - layers) / n, i = 0, cells + 2 * layers)]
        allocate(density(n + 2 * layers, n + 2 * layers, cells + 2 * layers))
        allocate(energy, pressure, mold=density)
        allocate(u(n + 2 * layers + 1, n + 2 * layers + 1, cells + 2 * layers + 1))
        allocate(v, w, mold=u)
        ! 0: owned; 1: a neighbour's cell, or outside; 2: garbage, the second layer
        allocate(ghosts, mold=density)
        ghosts = 2
        ghosts(2:n + 3, 2:n + 3, 2:cells + 3) = 1
        ghosts(3:n + 2, 3:n + 2, 3:cells + 2) = 0
    end subroutine

    ! Everything at one time, ghosts included.
    subroutine fill(time)
        real(real8), intent(in) :: time
        real(real8) :: away(3), r, shell
        integer :: i, j, k
        do k = 1, size(density, 3)
            do j = 1, size(density, 2)
                do i = 1, size(density, 1)
                    away = from_centre(0.5 * (x(i) + x(i + 1)), 0.5 * (y(j) + y(j + 1)), &
                        0.5 * (z(k) + z(k + 1)))
                    r = norm2(away)
                    density(i, j, k) = 1 + 0.5 * pulse(r, time)
                    energy(i, j, k) = 2.5 + 0.5 * pulse(r, time)
                    pressure(i, j, k) = 0.4 * density(i, j, k) * energy(i, j, k)
                end do
            end do
        end do
        do k = 1, size(u, 3)
            do j = 1, size(u, 2)
                do i = 1, size(u, 1)
                    away = from_centre(x(i), y(j), z(k))
                    r = norm2(away)
                    shell = pulse(r, time) / (r + 0.1)
                    u(i, j, k) = shell * away(1)
                    v(i, j, k) = shell * away(2)
                    w(i, j, k) = shell * away(3)
                end do
            end do
        end do
    end subroutine

    pure function from_centre(x, y, z) result(away)
        real(real8), intent(in) :: x, y, z
        real(real8) :: away(3)
        away = [x, y, z] - 0.5 * side
    end function

    pure function pulse(r, time) result(value)
        real(real8), intent(in) :: r, time
        real(real8) :: value
        value = exp(-((r - 0.5 - 3 * time) / 0.6)**2) / (1 + time)
    end function

    ! The tree: arrays stay where they are.
    function described() result(tree)
        type(C_PTR) :: tree
        tree = conduit_node_create()
        call conduit_node_set_path_int32(tree, "state/domain_id", rank)
        call conduit_node_set_path_char8_str(tree, "coordsets/coords/type", "rectilinear")
        call external_array(tree, "coordsets/coords/values/x", x, size(x))
        call external_array(tree, "coordsets/coords/values/y", y, size(y))
        call external_array(tree, "coordsets/coords/values/z", z, size(z))
        call conduit_node_set_path_char8_str(tree, "topologies/mesh/type", "rectilinear")
        call conduit_node_set_path_char8_str(tree, "topologies/mesh/coordset", "coords")
        call field(tree, "ascent_ghosts", "element")
        call field(tree, "density", "element")
        call field(tree, "energy", "element")
        call field(tree, "pressure", "element")
        call field(tree, "velocity", "vertex")
        call external_array(tree, "fields/ascent_ghosts/values", ghosts, size(ghosts))
        call external_array(tree, "fields/density/values", density, size(density))
        call external_array(tree, "fields/energy/values", energy, size(energy))
        call external_array(tree, "fields/pressure/values", pressure, size(pressure))
        call external_array(tree, "fields/velocity/values/u", u, size(u))
        call external_array(tree, "fields/velocity/values/v", v, size(v))
        call external_array(tree, "fields/velocity/values/w", w, size(w))
    end function

    subroutine external_array(tree, path, values, count)
        type(C_PTR), intent(in) :: tree
        character(*), intent(in) :: path
        integer, intent(in) :: count
        real(real8), intent(in), target :: values(*)
        call conduit_node_set_path_external_float64_ptr(tree, path, values, int(count, C_SIZE_T))
    end subroutine

    subroutine field(tree, name, association)
        type(C_PTR), intent(in) :: tree
        character(*), intent(in) :: name, association
        call conduit_node_set_path_char8_str(tree, "fields/" // name // "/association", association)
        call conduit_node_set_path_char8_str(tree, "fields/" // name // "/topology", "mesh")
        call conduit_node_set_path_char8_str(tree, "fields/" // name // "/type", "scalar")
    end subroutine

    ! What the simulation itself asks for; ascent_actions.yaml would be done instead.
    function wanted() result(list)
        type(C_PTR) :: list, action, scene
        list = conduit_node_create()
        action = conduit_node_append(list)
        call conduit_node_set_path_char8_str(action, "action", "add_scenes")
        scene = conduit_node_fetch(action, "scenes/pulse")
        call conduit_node_set_path_char8_str(scene, "plots/p1/type", "volume")
        call conduit_node_set_path_char8_str(scene, "plots/p1/field", "velocity")
        call conduit_node_set_path_char8_str(scene, "renders/r1/image_prefix", "pulse_%04d")
        call conduit_node_set_path_int32(scene, "renders/r1/image_width", 384)
        call conduit_node_set_path_int32(scene, "renders/r1/image_height", 384)
    end function

end program wave
