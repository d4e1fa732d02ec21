"""A box of hexahedra as Gmsh 2.2 text, for `pyfr import`: walls along x, periodic along y and z.

    python make_mesh.py 6 > box.msh

In: elements along an axis. Out: the mesh of [-pi, pi]^3 on standard output.
"""

import math
import sys
from itertools import product


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    side = range(n + 1)
    number = {(i, j, k): 1 + i + (n + 1) * (j + (n + 1) * k) for k, j, i in product(side, repeat=3)}
    corners = (0, 0), (1, 0), (1, 1), (0, 1)
    elements = []
    for k, j, i in product(range(n), repeat=3):
        nodes = [number[i + a, j + b, k + c] for c in (0, 1) for a, b in corners]
        elements.append((5, 1, nodes))
    # The faces of the box: 2 and 3 along x, 4 and 5 along y, 6 and 7 along z.
    for axis, where in product(range(3), (0, n)):
        for q, p in product(range(n), repeat=2):
            nodes = []
            for a, b in corners:
                place = [p + a, q + b]
                place.insert(axis, where)
                nodes.append(number[place[0], place[1], place[2]])
            elements.append((3, 2 + 2 * axis + (where > 0), nodes))

    print('$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$PhysicalNames\n7\n3 1 "fluid"')
    for axis, end in product(range(3), "lr"):
        name = f"periodic_{axis}_{end}" if axis else f"wall_{end}"
        print(f'2 {2 + 2 * axis + (end == "r")} "{name}"')
    print(f"$EndPhysicalNames\n$Nodes\n{len(number)}")
    for (i, j, k), at in number.items():
        print(at, *(math.pi * (2 * index / n - 1) for index in (i, j, k)))
    print(f"$EndNodes\n$Elements\n{len(elements)}")
    for at, (kind, tag, nodes) in enumerate(elements, start=1):
        print(at, kind, 2, tag, tag, *nodes)
    print("$EndElements")


main()
