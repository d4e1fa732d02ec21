// Which Gaussians may reach which points: a k-d tree of the points, descended with a list of
// candidates that shrinks on the way.
//
// Nothing is laid out in advance for the Gaussians, so that neither their density nor their sizes
// matter: points that are close in one place and far apart in another cost the same.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace insitu::gaussians {

constexpr int kLeaf = 16;  // most points of a leaf

struct Box {
  float low[3], high[3];
};

struct Node {
  Box box;
  int begin, end;  // of the tree's points
  int right;       // the second child; the first one follows its parent; 0 for a leaf
};

// A k-d tree; coordinates are those of `xyz` (n, 3).
class Tree {
 public:
  Tree(const float* xyz, int n) : order(static_cast<std::size_t>(n)), xyz_(xyz) {
    std::iota(order.begin(), order.end(), 0);
    if (n > 0) grow(0, n);
  }

  std::vector<int> order;  // of the points: leaves are consecutive
  std::vector<Node> nodes;

 private:
  void grow(int begin, int end) {
    const auto self = nodes.size();
    nodes.push_back({bounds(begin, end), begin, end, 0});
    if (end - begin <= kLeaf) return;
    const Box& box = nodes[self].box;
    int axis = 0;
    for (int a = 1; a < 3; ++a)
      if (box.high[a] - box.low[a] > box.high[axis] - box.low[axis]) axis = a;
    // Whole leaves on the left.
    const int leaves = (end - begin + kLeaf - 1) / kLeaf;
    const int middle = begin + leaves / 2 * kLeaf;
    std::nth_element(order.begin() + begin, order.begin() + middle, order.begin() + end,
                     [&](int i, int j) { return xyz_[3 * i + axis] < xyz_[3 * j + axis]; });
    grow(begin, middle);
    nodes[self].right = static_cast<int>(nodes.size());
    grow(middle, end);
  }

  Box bounds(int begin, int end) const {
    Box box;
    for (int a = 0; a < 3; ++a) box.low[a] = box.high[a] = xyz_[3 * order[begin] + a];
    for (int i = begin + 1; i < end; ++i)
      for (int a = 0; a < 3; ++a) {
        const float x = xyz_[3 * order[i] + a];
        box.low[a] = std::min(box.low[a], x);
        box.high[a] = std::max(box.high[a], x);
      }
    return box;
  }

  const float* xyz_;
};

// Descends to every leaf of a tree with the Gaussians that may reach its points.
//
// boxes: around the points that each Gaussian reaches. may_reach(gaussian, box): a closer test,
// made once at each leaf. found(node, candidates, count) is called for each leaf, in their order.
template <typename MayReach, typename Found>
class Descent {
 public:
  Descent(const Tree& tree, const std::vector<Box>& boxes, MayReach may_reach, Found found)
      : tree_(tree), boxes_(boxes), may_reach_(may_reach), found_(found), stack_(boxes.size()) {
    std::iota(stack_.begin(), stack_.end(), 0);
    if (!tree.nodes.empty()) visit(0, 0);
  }

 private:
  // The candidates are those of the parent: the stack from `begin` on.
  void visit(int at, std::size_t begin) {
    const Node& node = tree_.nodes[at];
    const std::size_t end = stack_.size();
    const bool leaf = node.right == 0;
    for (std::size_t i = begin; i < end; ++i) {
      const int which = stack_[i];
      const Box& box = boxes_[which];
      bool meets = true;
      for (int a = 0; a < 3; ++a)
        meets &= (box.low[a] <= node.box.high[a]) & (box.high[a] >= node.box.low[a]);
      if (meets && (!leaf || may_reach_(which, node.box))) stack_.push_back(which);
    }
    if (leaf) {
      found_(node, stack_.data() + end, static_cast<int>(stack_.size() - end));
    } else {
      visit(at + 1, end);
      visit(node.right, end);
    }
    stack_.resize(end);
  }

  const Tree& tree_;
  const std::vector<Box>& boxes_;
  MayReach may_reach_;
  Found found_;
  std::vector<int> stack_;
};

}  // namespace insitu::gaussians
