// How a tensor [rows, channels] is cut: into tiles whose length is a whole number of vectors and of rows, so that a
// lane always meets the same channel, tiles into blocks, and blocks into the parts that threads take. The cut depends
// on the shape alone, not on the machine's vectors: all instruction sets with fused multiply-adds give the same bits.
#pragma once

#include <algorithm>
#include <cstdint>

namespace softshard {

struct Geometry {
  int64_t rows;
  int64_t channels;
  int64_t tile;         // floats of a tile: a multiple of the widest vectors and of channels
  int64_t tileRows;     // rows of a tile
  int64_t blockTiles;   // tiles that are summed in float32 before float64 takes over
  int64_t partRows;     // rows of a part, a whole number of blocks
  int64_t parts;

  Geometry(int64_t rowCount, int64_t channelCount) : rows(rowCount), channels(channelCount) {
    int64_t a = channels, b = kWidest;
    while (b != 0) {
      const int64_t rest = a % b;
      a = b;
      b = rest;
    }
    const int64_t period = channels / a * kWidest;
    tile = period * ((kGroupFloats + period - 1) / period);
    tileRows = tile / channels;
    blockTiles = std::max<int64_t>(16, kBlockFloats / tile);
    const int64_t blockRows = blockTiles * tileRows;
    const int64_t blocks = std::max<int64_t>(1, (rows + blockRows - 1) / blockRows);
    const int64_t least = std::max<int64_t>(1, kPartFloats / (blockTiles * tile));
    const int64_t partBlocks = std::max(least, (blocks + kMostParts - 1) / kMostParts);
    partRows = partBlocks * blockRows;
    parts = std::max<int64_t>(1, (rows + partRows - 1) / partRows);
  }

 private:
  static constexpr int64_t kWidest = 16;  // lanes of the widest vectors
  static constexpr int64_t kGroupFloats = 4 * kWidest;
  static constexpr int64_t kBlockFloats = 4096;
  static constexpr int64_t kPartFloats = 32768;
  static constexpr int64_t kMostParts = 64;
};

}  // namespace softshard
