/* A blast wave in a box, published as CloverLeaf3D publishes its mesh: every rank a block of a
   rectilinear grid with two layers of ghost cells, ascent_ghosts, cell values (density, energy,
   pressure) and a velocity on the nodes, all of them the simulation's own arrays.

   The wave is a formula (a shell that grows as Sedov's does and drifts along x), since the point is
   the interface. C's side of it: conduit.h, blueprint, ascent.h.

     mpicc blast.c -I<include/conduit> -I<include/ascent> -L<lib> -lascent_mpi -lconduit -lm
     mpiexec -n 4 ./a.out [cells along an axis] [steps] */

#include <ascent.h>
#include <conduit.h>
#include <conduit_blueprint.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { GHOSTS = 2 };

typedef struct {
    int cells[3], start[3];  /* owned cells, and the first of them in the whole grid */
    int all[3];              /* with ghosts */
    double *nodes[3];
    double *density, *energy, *pressure, *velocity[3], *ghosts;
} Block;

static double *allocate(size_t n) {
    double *values = calloc(n, sizeof *values);
    if (values == NULL) MPI_Abort(MPI_COMM_WORLD, 1);
    return values;
}

static Block make_block(MPI_Comm comm, int n) {
    Block block;
    int size, rank, places[3] = {0, 0, 0}, periods[3] = {0, 0, 0}, here[3];
    size_t n_cells = 1, n_nodes = 1;
    MPI_Comm grid;
    MPI_Comm_size(comm, &size);
    MPI_Dims_create(size, 3, places);
    MPI_Cart_create(comm, 3, places, periods, 0, &grid);
    MPI_Comm_rank(grid, &rank);
    MPI_Cart_coords(grid, rank, 3, here);
    MPI_Comm_free(&grid);
    for (int axis = 0; axis < 3; ++axis) {
        block.start[axis] = here[axis] * n / places[axis];
        block.cells[axis] = (here[axis] + 1) * n / places[axis] - block.start[axis];
        block.all[axis] = block.cells[axis] + 2 * GHOSTS;
        block.nodes[axis] = allocate(block.all[axis] + 1);
        for (int i = 0; i <= block.all[axis]; ++i)
            block.nodes[axis][i] = 10.0 * (block.start[axis] + i - GHOSTS) / n;
        n_cells *= block.all[axis];
        n_nodes *= block.all[axis] + 1;
    }
    block.density = allocate(n_cells);
    block.energy = allocate(n_cells);
    block.pressure = allocate(n_cells);
    block.ghosts = allocate(n_cells);
    for (int axis = 0; axis < 3; ++axis) block.velocity[axis] = allocate(n_nodes);
    for (int k = 0, at = 0; k < block.all[2]; ++k)
        for (int j = 0; j < block.all[1]; ++j)
            for (int i = 0; i < block.all[0]; ++i, ++at) {
                /* 0: owned; 1: a neighbour's cell, or outside; 2: garbage, the second layer */
                const int index[3] = {i, j, k};
                for (int axis = 0; axis < 3; ++axis) {
                    const int from = index[axis] - GHOSTS;
                    const int beyond = from < 0 ? -from : from - block.cells[axis] + 1;
                    if (beyond > block.ghosts[at]) block.ghosts[at] = beyond;
                }
            }
    return block;
}

static void free_block(Block *block) {
    for (int axis = 0; axis < 3; ++axis) {
        free(block->nodes[axis]);
        free(block->velocity[axis]);
    }
    free(block->density);
    free(block->energy);
    free(block->pressure);
    free(block->ghosts);
}

/* Where a point lies from the centre of the blast: vector and distance. */
static double from_centre(double time, double x, double y, double z, double vector[3]) {
    vector[0] = x - 4.0 - 0.5 * time;
    vector[1] = y - 5.0;
    vector[2] = z - 5.0;
    return sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2]);
}

/* Everything at one time, ghosts included. */
static void fill(Block *block, double time) {
    const double radius = 3.0 * pow(time + 0.05, 0.4), thickness = 0.35;
    double vector[3];
    for (int k = 0, at = 0; k < block->all[2]; ++k)
        for (int j = 0; j < block->all[1]; ++j)
            for (int i = 0; i < block->all[0]; ++i, ++at) {
                const double x = 0.5 * (block->nodes[0][i] + block->nodes[0][i + 1]);
                const double y = 0.5 * (block->nodes[1][j] + block->nodes[1][j + 1]);
                const double z = 0.5 * (block->nodes[2][k] + block->nodes[2][k + 1]);
                const double r = from_centre(time, x, y, z, vector);
                const double shell = exp(-pow((r - radius) / thickness, 2));
                const double inside = 1.0 / (1.0 + exp((r - radius) / thickness));
                block->density[at] = 0.2 + 0.8 * shell - 0.15 * inside;
                block->energy[at] = 1.0 + 2.5 * inside;
                block->pressure[at] = 0.4 * block->density[at] * block->energy[at];
            }
    for (int k = 0, at = 0; k <= block->all[2]; ++k)
        for (int j = 0; j <= block->all[1]; ++j)
            for (int i = 0; i <= block->all[0]; ++i, ++at) {
                const double r = from_centre(time, block->nodes[0][i], block->nodes[1][j],
                                             block->nodes[2][k], vector);
                const double speed = 0.8 * exp(-pow((r - radius) / (2 * thickness), 2)) / (r + 0.1);
                for (int axis = 0; axis < 3; ++axis)
                    block->velocity[axis][at] = speed * vector[axis];
            }
}

static void describe_field(
    conduit_node *mesh, const char *name, const char *association, double *values, size_t n) {
    conduit_node *field = conduit_node_fetch(conduit_node_fetch(mesh, "fields"), name);
    conduit_node_set_path_char8_str(field, "association", association);
    conduit_node_set_path_char8_str(field, "topology", "mesh");
    conduit_node_set_path_char8_str(field, "type", "scalar");
    if (values != NULL) conduit_node_set_path_external_float64_ptr(field, "values", values, n);
}

/* The tree: arrays stay where they are. */
static conduit_node *describe(Block *block, int rank) {
    const char *const axes[3] = {"x", "y", "z"};
    conduit_node *mesh = conduit_node_create();
    size_t n_cells = 1, n_nodes = 1;
    conduit_node_set_path_int32(mesh, "state/domain_id", rank);
    conduit_node_set_path_char8_str(mesh, "coordsets/coords/type", "rectilinear");
    for (int axis = 0; axis < 3; ++axis) {
        conduit_node *values = conduit_node_fetch(mesh, "coordsets/coords/values");
        conduit_node_set_path_external_float64_ptr(
            values, axes[axis], block->nodes[axis], block->all[axis] + 1);
        n_cells *= block->all[axis];
        n_nodes *= block->all[axis] + 1;
    }
    conduit_node_set_path_char8_str(mesh, "topologies/mesh/type", "rectilinear");
    conduit_node_set_path_char8_str(mesh, "topologies/mesh/coordset", "coords");
    describe_field(mesh, "ascent_ghosts", "element", block->ghosts, n_cells);
    describe_field(mesh, "density", "element", block->density, n_cells);
    describe_field(mesh, "energy", "element", block->energy, n_cells);
    describe_field(mesh, "pressure", "element", block->pressure, n_cells);
    describe_field(mesh, "velocity", "vertex", NULL, 0);
    for (int axis = 0; axis < 3; ++axis)
        conduit_node_set_path_external_float64_ptr(
            conduit_node_fetch(mesh, "fields/velocity/values"), axes[axis], block->velocity[axis],
            n_nodes);
    return mesh;
}

/* What the simulation itself asks for; ascent_actions.yaml would be done instead. */
static conduit_node *make_actions(void) {
    conduit_node *actions = conduit_node_create();
    conduit_node *queries = conduit_node_append(actions), *scenes = conduit_node_append(actions);
    conduit_node *plot;
    conduit_node_set_path_char8_str(queries, "action", "add_queries");
    conduit_node_set_path_char8_str(
        queries, "queries/q1/params/expression", "max(field('pressure'))");
    conduit_node_set_path_char8_str(queries, "queries/q1/params/name", "peak");
    conduit_node_set_path_char8_str(scenes, "action", "add_scenes");
    plot = conduit_node_fetch(scenes, "scenes/blast/plots/p1");
    conduit_node_set_path_char8_str(plot, "type", "volume");
    conduit_node_set_path_char8_str(plot, "field", "density");
    conduit_node_set_path_char8_str(scenes, "scenes/blast/renders/r1/image_prefix", "blast_%04d");
    conduit_node_set_path_int32(scenes, "scenes/blast/renders/r1/image_width", 384);
    conduit_node_set_path_int32(scenes, "scenes/blast/renders/r1/image_height", 384);
    return actions;
}

int main(int argc, char **argv) {
    const int n = argc > 1 ? atoi(argv[1]) : 48, steps = argc > 2 ? atoi(argv[2]) : 40;
    const int visit_frequency = 10;
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    Block block = make_block(MPI_COMM_WORLD, n);
    conduit_node *mesh = describe(&block, rank), *actions = make_actions();

    conduit_node *options = conduit_node_create(), *info = conduit_node_create();
    conduit_node_set_path_int32(options, "mpi_comm", MPI_Comm_c2f(MPI_COMM_WORLD));
    conduit_node_set_path_char8_str(options, "runtime/type", "ascent");
    Ascent *ascent = ascent_create();
    ascent_open(ascent, options);
    if (!conduit_blueprint_mesh_verify(mesh, info)) {
        conduit_node_print(info);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }

    for (int step = 0; step <= steps; ++step) {
        const double time = 0.025 * step;
        fill(&block, time);
        if (step % visit_frequency != 0) continue;
        ascent_timer_start("in_situ");
        conduit_node_set_path_int32(mesh, "state/cycle", step);
        conduit_node_set_path_float64(mesh, "state/time", time);
        ascent_publish(ascent, mesh);
        ascent_execute(ascent, actions);
        ascent_timer_stop("in_situ");
        if (rank == 0) conduit_node_print(ascent_info_ref(ascent));
    }

    ascent_timer_write();
    ascent_close(ascent);
    ascent_destroy(ascent);
    conduit_node_destroy(options);
    conduit_node_destroy(actions);
    conduit_node_destroy(info);
    conduit_node_destroy(mesh);
    free_block(&block);
    MPI_Finalize();
    return 0;
}
