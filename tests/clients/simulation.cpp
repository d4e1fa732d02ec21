// A simulation in C++ with Ascent's and conduit's C++ headers: a ball that grows in blocks along x,
// one per rank, with its fields in one interleaved array.
//
// Arguments: cells per rank and axis, steps. Prints how often its functions were called.

#include <mpi.h>

#include <ascent.hpp>
#include <cmath>
#include <conduit_blueprint_mpi.hpp>
#include <conduit_relay.hpp>
#include <conduit_relay_mpi.hpp>
#include <cstdlib>
#include <iostream>
#include <vector>

static int asked = 0, commanded = 0;
static double radius = 0;

static bool has_grown() {
  ++asked;
  return radius > 0.5;
}

static void report(conduit::Node& params, conduit::Node& output) {
  ++commanded;
  output["rank"] = params["mpi_rank"].as_int32();
  if (params["word"].as_string() != "hello") CONDUIT_ERROR("report: no word")
}

static void describe(conduit::Node& mesh, int n, int rank, std::vector<double>& values) {
  mesh["state/domain_id"] = rank;
  conduit::Node& coords = mesh["coordsets/coords"];
  coords["type"] = "uniform";
  for (const char* axis : {"i", "j", "k"}) coords["dims"][axis] = n + 1;
  for (const char* axis : {"x", "y", "z"}) {
    coords["origin"][axis] = axis[0] == 'x' ? static_cast<double>(rank) : 0.0;
    coords["spacing"][std::string("d") + axis] = 1.0 / n;
  }
  mesh["topologies/grid/type"] = "uniform";
  mesh["topologies/grid/coordset"] = "coords";
  const conduit::index_t cells = n * n * n, pair = 2 * sizeof(double);
  int i = 0;
  for (const char* name : {"density", "unused"}) {
    conduit::Node& field = mesh["fields"][name];
    field["association"] = "element";
    field["topology"] = "grid";
    field["values"].set_external(values.data(), cells, sizeof(double) * i++, pair);
  }
}

static void advance(int n, int ranks, int rank, std::vector<double>& values) {
  ASCENT_BLOCK_TIMER(ADVANCE)
  for (int k = 0, at = 0; k < n; ++k)
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i, at += 2) {
        const double x = rank + (i + 0.5) / n - 0.5 * ranks;
        const double y = (j + 0.5) / n - 0.5, z = (k + 0.5) / n - 0.5;
        values[at] = std::tanh(8 * (radius - std::sqrt(x * x + y * y + z * z)));
        values[at + 1] = NAN;  // would show if strides were wrong
      }
}

static conduit::Node actions_for(const char* image) {
  conduit::Node actions;
  conduit::Node& trigger = actions.append();
  trigger["action"] = "add_triggers";
  trigger["triggers/grown/params/callback"] = "has_grown";
  conduit::Node& scene = trigger["triggers/grown/params/actions"].append();
  scene["action"] = "add_scenes";
  scene["scenes/s/plots/p/type"] = "pseudocolor";
  scene["scenes/s/plots/p/field"] = "density";
  scene["scenes/s/renders/r/image_prefix"] = image;
  scene["scenes/s/renders/r/image_width"] = 64;
  scene["scenes/s/renders/r/image_height"] = 64;
  conduit::Node& command = actions.append();
  command["action"] = "add_commands";
  command["commands/c/params/callback"] = "report";
  command["commands/c/params/word"] = "hello";
  command["commands/c/params/mpi_behavior"] = "all";
  return actions;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const int n = std::atoi(argv[1]), steps = std::atoi(argv[2]);
  const int rank = conduit::relay::mpi::rank(MPI_COMM_WORLD);
  const int ranks = conduit::relay::mpi::size(MPI_COMM_WORLD);
  {
    ascent::register_callback("has_grown", has_grown);
    ascent::register_callback("report", report);
    std::vector<std::string> names;
    ascent::get_bool_callbacks(names);
    conduit::Node options, about, info;
    ascent::about(about);
    options["mpi_comm"] = static_cast<int>(MPI_Comm_c2f(MPI_COMM_WORLD));
    ascent::Ascent ascent;
    ascent.open(options);

    std::vector<double> values(2 * n * n * n);
    conduit::Node mesh;
    describe(mesh, n, rank, values);
    if (!conduit::blueprint::mpi::verify("mesh", mesh, info, MPI_COMM_WORLD))
      CONDUIT_ERROR("the mesh is wrong: " << info.to_yaml())
    const conduit::Node actions = actions_for("ball_%04d");
    for (int step = 0; step < steps; ++step) {
      radius = 0.2 + 0.2 * step;
      advance(n, ranks, rank, values);
      mesh["state/cycle"] = 10 * step;
      mesh["state/time"] = 0.5 * step;
      ascent.publish(mesh);
      ascent.execute(actions);
      ascent.info(info);
      if (rank == 0) std::cout << info["status/message"].as_string() << std::endl;
    }
    if (ascent.info()["cycle"].to_int() != 10 * (steps - 1)) CONDUIT_ERROR("no cycle in info")
    ascent.close();
    if (rank == 0) conduit::relay::io::save(mesh["state"], "state.yaml");
    ascent::BlockTimer::WriteLogFile();
    if (rank == 0)
      std::cout << about["implementation"].as_string() << ": " << names.size()
                << " condition, asked " << asked << ", commanded " << commanded << std::endl;
  }
  MPI_Finalize();
  return 0;
}
