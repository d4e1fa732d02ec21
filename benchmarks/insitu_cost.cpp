// A compiled simulation that hands three fields to Ascent at every 10th step, or to nobody.
//
// Arguments: cells per axis, steps, 1 or 0 (whether Ascent is called). A front that spreads by
// diffusion and two more fields, in slabs along z, one per rank. Prints per rank the CPU seconds of
// all of it, up to the end of the first step, and of that the part in Ascent.

#include <mpi.h>
#include <sys/resource.h>

#include <ascent.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

static double cpu() {
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return t.tv_sec + 1e-6 * t.tv_usec;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  if (argc != 4) return 2;
  const int n = std::atoi(argv[1]), steps = std::atoi(argv[2]);
  const bool coupled = std::atoi(argv[3]) != 0;
  int rank, ranks;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  const int first = n * rank / ranks, layers = n * (rank + 1) / ranks - first;
  const int plane = n * n, cells = plane * layers;
  std::vector<double> heat((layers + 2) * plane), next(heat), speed(cells), power(cells);
  for (int at = 0; at < cells; ++at) {
    const double x = at % n, y = at / n % n, z = first + at / plane;
    const double r = std::sqrt((x - n / 2) * (x - n / 2) + (y - n / 2) * (y - n / 2) +
                               (z - n / 3) * (z - n / 3));
    heat[plane + at] = std::tanh(0.2 * (0.3 * n - r));
  }
  double in_ascent = 0, start_up = 0, first_step = 0;
  {
    ascent::Ascent session;
    conduit::Node mesh, actions;
    if (coupled) {
      const double begin = cpu();
      conduit::Node options;
      options["mpi_comm"] = static_cast<int>(MPI_Comm_c2f(MPI_COMM_WORLD));
      session.open(options);
      mesh["state/domain_id"] = rank;
      mesh["coordsets/c/type"] = "uniform";
      const int dims[] = {n + 1, n + 1, layers + 1};
      for (int axis = 0; axis < 3; ++axis)
        mesh["coordsets/c/dims"][std::string(1, "ijk"[axis])] = dims[axis];
      mesh["coordsets/c/origin/x"] = 0.0;
      mesh["coordsets/c/origin/y"] = 0.0;
      mesh["coordsets/c/origin/z"] = static_cast<double>(first);
      mesh["topologies/t/type"] = "uniform";
      mesh["topologies/t/coordset"] = "c";
      for (const char* name : {"heat", "speed", "power"}) {
        mesh["fields"][name]["association"] = "element";
        mesh["fields"][name]["topology"] = "t";
      }
      mesh["fields/speed/values"].set_external(speed.data(), cells);
      mesh["fields/power/values"].set_external(power.data(), cells);
      start_up = cpu() - begin;
    }
    for (int step = 0; step < steps; ++step) {
      const int up = rank + 1 < ranks ? rank + 1 : MPI_PROC_NULL;
      const int down = rank ? rank - 1 : MPI_PROC_NULL;
      MPI_Sendrecv(&heat[plane * layers], plane, MPI_DOUBLE, up, 0, &heat[0], plane, MPI_DOUBLE,
                   down, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      MPI_Sendrecv(&heat[plane], plane, MPI_DOUBLE, down, 1, &heat[plane * (layers + 1)], plane,
                   MPI_DOUBLE, up, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      for (int at = plane; at < plane + cells; ++at) {
        const int x = at % n, y = at / n % n;
        const bool edge = x == 0 || y == 0 || x == n - 1 || y == n - 1;
        const double around = edge ? 6 * heat[at]
                                   : heat[at - 1] + heat[at + 1] + heat[at - n] + heat[at + n] +
                                         heat[at - plane] + heat[at + plane];
        next[at] = heat[at] + 0.1 * (around - 6 * heat[at]);
        speed[at - plane] = std::sqrt(1 + next[at] * next[at]);
        power[at - plane] = std::exp(-speed[at - plane]) * std::sin(next[at]);
      }
      heat.swap(next);
      if (!coupled || step % 10) continue;
      const double begin = cpu();
      mesh["state/cycle"] = step;
      mesh["state/time"] = static_cast<double>(step);
      mesh["fields/heat/values"].set_external(heat.data() + plane, cells);
      session.publish(mesh);
      session.execute(actions);
      const double took = cpu() - begin;
      (step ? in_ascent : first_step) += took;
    }
    const double begin = cpu();
    if (coupled) session.close();
    in_ascent += cpu() - begin;
  }
  std::printf("cost %d %.3f %.3f %.3f %.3f\n", rank, cpu(), start_up, first_step, in_ascent);
  MPI_Finalize();
}
