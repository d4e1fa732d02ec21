// Fully connected layers without bias, for chunks of samples.
//
// In: weights, encoded samples. Out: outputs; backward, gradients of weights and encoding.
#pragma once

#include "encoding.hpp"
#include "network.hpp"
#include "products.hpp"

namespace insitu {

// The transposed matrices of the hidden layers: forward reads them as vectors of outputs; backward
// reads the original matrices.
class Transposed {
 public:
  explicit Transposed(const Network& net) : weights_(net.matrices.back().offset) {}
  Transposed(const Network& net, const float* params) : Transposed(net) { load(net, params); }

  void load(const Network& net, const float* params) {
    for (int i = 0; i < net.n_hidden_layers; ++i) {
      const Matrix& m = net.matrices[i];
      for (int r = 0; r < m.rows; ++r)
        for (int c = 0; c < m.cols; ++c)
          weights_[m.offset + static_cast<std::size_t>(c) * m.rows + r] =
              params[m.offset + static_cast<std::size_t>(r) * m.cols + c];
    }
  }

  const float* matrix(const Matrix& m) const { return weights_.data() + m.offset; }

 private:
  Buffer<float> weights_;
};

// The workspace for the forward and backward pass of one chunk.
class Workspace {
 public:
  explicit Workspace(const Network& net, bool with_backward = false)
      : points(3 * kChunk),
        encoded(static_cast<std::size_t>(net.n_inputs) * kChunk),
        hidden(static_cast<std::size_t>(net.n_hidden_layers) * net.n_neurons * kChunk),
        output(static_cast<std::size_t>(net.n_outputs) * kChunk),
        corners(net.n_levels) {
    if (!with_backward) return;
    const std::size_t widest = static_cast<std::size_t>(std::max(net.n_inputs, net.n_neurons));
    output_gradient = Buffer<float>(output.size());
    gradient_a = Buffer<float>(widest * kChunk);
    gradient_b = Buffer<float>(widest * kChunk);
  }

  float* layer(const Network& net, int i) {
    return hidden.data() + static_cast<std::size_t>(i) * net.n_neurons * kChunk;
  }

  Buffer<float> points;           // (3, kChunk)
  Buffer<float> encoded;          // n_inputs, in panels
  Buffer<float> hidden;           // n_hidden_layers x n_neurons, in panels, after ReLU
  Buffer<float> output;           // (n_outputs, kChunk)
  Buffer<float> output_gradient;  // (n_outputs, kChunk)
  Buffer<float> gradient_a, gradient_b;
  Buffer<Corners> corners;  // one per level
};

// work.encoded -> work.output, starting at layer `first`; earlier layers are already computed.
inline void forward_mlp(const Network& net, const float* params, const Transposed& transposed,
                        Workspace& work, int first = 0) {
  const float* in = first > 0 ? work.layer(net, first - 1) : work.encoded.data();
  for (int i = first; i < net.n_hidden_layers; ++i) {
    const Matrix& m = net.matrices[i];
    float* out = work.layer(net, i);
    multiply<Cut::kRelu>(transposed.matrix(m), m.cols, m.rows, in, out, out);
    in = out;
  }
  const Matrix& last = net.matrices.back();
  multiply_last(params + last.offset, net.n_outputs, last.cols, in, work.output.data());
}

// work.points -> work.output.
template <int F>
inline void forward(const Network& net, const float* params, const Transposed& transposed,
                    Workspace& work) {
  encode_levels<F>(net, params, work.points.data(), work.corners.data(), work.encoded.data());
  forward_mlp(net, params, transposed, work);
}

// work.output_gradient -> gradient of the encoding (n_inputs, in panels), in the workspace. Adds
// the gradient of the weights to params_gradient, unless it is null.
inline float* backward_mlp(const Network& net, const float* params, Workspace& work,
                           float* params_gradient) {
  const Matrix& last = net.matrices.back();
  float *above = work.gradient_a.data(), *below = work.gradient_b.data();
  const float* in = work.layer(net, net.n_hidden_layers - 1);
  const float* gradient = work.output_gradient.data();
  if (params_gradient)
    accumulate_last(gradient, net.n_outputs, in, last.cols, params_gradient + last.offset);
  multiply_last_backward(params + last.offset, net.n_outputs, last.cols, gradient, in, above);
  for (int i = net.n_hidden_layers - 1; i >= 0; --i) {
    const Matrix& m = net.matrices[i];
    in = i > 0 ? work.layer(net, i - 1) : work.encoded.data();
    if (params_gradient) accumulate_outer(above, m.rows, in, m.cols, params_gradient + m.offset);
    if (i > 0) multiply<Cut::kMask>(params + m.offset, m.rows, m.cols, above, in, below);
    else multiply<Cut::kNone>(params + m.offset, m.rows, m.cols, above, in, below);
    std::swap(above, below);
  }
  return above;
}

}  // namespace insitu
