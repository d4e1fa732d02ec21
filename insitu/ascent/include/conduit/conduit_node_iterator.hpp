// Going through the children of a node: for (Node& child : node.children()), or
// NodeIterator it = node.children(); while (it.has_next()) { Node& child = it.next(); ... }
#pragma once

#include <cstddef>
#include <iterator>
#include <string>

#include "conduit_core.hpp"

namespace conduit {

namespace detail {

// What standard algorithms take; N is Node or const Node.
template <typename N>
class ChildIterator {
 public:
  typedef std::random_access_iterator_tag iterator_category;
  typedef Node value_type;
  typedef index_t difference_type;
  typedef N* pointer;
  typedef N& reference;

  ChildIterator() = default;
  explicit ChildIterator(N* parent, index_t index = 0) : parent_(parent), index_(index) {}
  template <typename Other>
  ChildIterator(const ChildIterator<Other>& other)
      : parent_(other.get_parent()), index_(other.get_index()) {}

  N* get_parent() const { return parent_; }
  index_t get_index() const { return index_; }
  std::string name() const { return parent_->child(index_).name(); }

  N& operator*() const { return parent_->child(index_); }
  N* operator->() const { return &parent_->child(index_); }
  N& operator[](index_t n) const { return parent_->child(index_ + n); }
  ChildIterator& operator++() { return *this += 1; }
  ChildIterator& operator--() { return *this -= 1; }
  ChildIterator operator++(int) {
    const ChildIterator before = *this;
    ++index_;
    return before;
  }
  ChildIterator operator--(int) {
    const ChildIterator before = *this;
    --index_;
    return before;
  }
  ChildIterator& operator+=(index_t n) {
    index_ += n;
    return *this;
  }
  ChildIterator& operator-=(index_t n) {
    index_ -= n;
    return *this;
  }
  ChildIterator operator+(index_t n) const { return ChildIterator(parent_, index_ + n); }
  ChildIterator operator-(index_t n) const { return ChildIterator(parent_, index_ - n); }
  friend ChildIterator operator+(index_t n, const ChildIterator& it) { return it + n; }
  index_t operator-(const ChildIterator& other) const { return index_ - other.index_; }
  bool operator==(const ChildIterator& other) const {
    return parent_ == other.parent_ && index_ == other.index_;
  }
  bool operator!=(const ChildIterator& other) const { return !(*this == other); }
  bool operator<(const ChildIterator& other) const { return index_ < other.index_; }
  bool operator>(const ChildIterator& other) const { return index_ > other.index_; }
  bool operator<=(const ChildIterator& other) const { return index_ <= other.index_; }
  bool operator>=(const ChildIterator& other) const { return index_ >= other.index_; }

 private:
  N* parent_ = nullptr;
  index_t index_ = 0;
};

// Conduit's own: stands behind the child that it gave last, of which it tells name and index.
template <typename N>
class Children {
 public:
  Children() = default;
  Children(N* node, index_t place = 0) : node_(node), place_(place) {}
  Children(N& node, index_t place = 0) : node_(&node), place_(place) {}
  template <typename Other>
  Children(const Children<Other>& other) : node_(other.parent()), place_(other.index() + 1) {}

  std::string name() const {
    return node_->dtype().is_list() ? std::to_string(index()) : node().name();
  }
  index_t index() const { return place_ - 1; }  // -1 before the first
  N& node() const { return node_->child(index()); }
  N* parent() const { return node_; }

  bool has_next() const { return place_ < size(); }
  bool has_previous() const { return place_ > 1; }
  // Where there is none, the error of a child that is not there.
  N& next() { return node_->child(place_++); }
  N& previous() { return node_->child(--place_ - 1); }
  N& peek_next() const { return node_->child(place_); }
  N& peek_previous() const { return node_->child(place_ - 2); }
  void to_front() { place_ = 0; }
  void to_back() { place_ = size(); }

  ChildIterator<N> begin() const { return ChildIterator<N>(node_, 0); }
  ChildIterator<N> end() const { return ChildIterator<N>(node_, size()); }
  ChildIterator<const Node> cbegin() const { return begin(); }
  ChildIterator<const Node> cend() const { return end(); }

 private:
  index_t size() const { return node_ == nullptr ? 0 : node_->number_of_children(); }

  N* node_ = nullptr;
  index_t place_ = 0;
};

}  // namespace detail

typedef detail::Children<Node> NodeIterator;
typedef detail::Children<const Node> NodeConstIterator;
typedef detail::ChildIterator<Node> NodeChildIterator;
typedef detail::ChildIterator<const Node> NodeConstChildIterator;

}  // namespace conduit
