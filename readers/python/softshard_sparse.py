# SPDX-License-Identifier: Apache-2.0
"""Decodes the codec `sparse` of Softshard's caches (docs/codecs.md): detection heads, one level of one view a blob.

Needs numpy. Every step is the integer arithmetic of the format, so that the values are those of any other reader.
"""

import math

import numpy

UNIT = 4096  # whole numbers a logit
LARGEST = 4096 * UNIT
PART = 64  # steps at weight 1 are in 1/64 units
PRECISION = 12
TOTAL = 1 << PRECISION
SYMBOLS = 64
LARGER = SYMBOLS - 1
FIRST_STATE = 1 << 16

TAILS = (
    0.00079, 0.003077, 0.00925, 0.02255, 0.0464, 0.083225, 0.133571, 0.195918, 0.267166, 0.343443, 0.420895,
    0.496235, 0.567013, 0.631655, 0.689359, 0.739923, 0.783571, 0.820793, 0.852223, 0.878553, 0.900467, 0.918612,
    0.933571, 0.945862, 0.955933, 0.964166, 0.970884, 0.976358, 0.980813, 0.984436, 0.987379, 0.989768,
)
SET_FLAGS = (
    4, 6, 9, 14, 23, 35, 55, 86, 134, 207, 315, 475, 699, 1001, 1380, 1818, 2278, 2716, 3095, 3397, 3621, 3781,
    3889, 3962, 4010, 4041, 4061, 4073, 4082, 4087, 4090, 4092,
)
BANK = len(TAILS)

THRESHOLDS = (
    6819, 1569, -1315, -3523, -5421, -7148, -8772, -10330, -11845, -13331, -14796, -16248, -17690, -19126,
    -20557, -21984, -23409, -24833, -26255, -27677, -29098, -30518, -31939, -33359, -34779, -36198, -37618,
    -39038, -40457, -41877, -43297, -44716, -46136, -47555, -48975, -50395, -51814, -53234, -54653, -56073,
    -57492, -58912, -60332, -61751, -63171, -64590, -66010, -67429,
)
STEP_FACTORS = (
    4096, 5793, 8192, 11585, 16384, 23170, 32768, 46341, 65536, 92682, 131072, 185364, 262144, 370728, 524288,
    741455, 1048576, 1482910, 2097152, 2965821, 4194304, 5931642, 8388608, 11863283, 16777216, 23726566,
    33554432, 47453133, 67108864, 94906266, 134217728, 189812531, 268435456, 379625062, 536870912, 759250125,
    1073741824, 1518500250, 2147483648, 3037000500, 4294967296, 6074001000, 8589934592, 12148002000,
    17179869184, 24296004000, 34359738368, 48592008000, 68719476736,
)
BOX_THRESHOLD = -18822
FINEST = 8
MOST_STEP = 1 << 31

STEEPNESS = (59, 39, 19, 8, 3, 1)
AROUND = (0, 1, 2, 3, 5, 7, 10, 14, 20, 28, 40, 56, 80, 112, 160)
PREDICTED = (1, 2, 3, 5, 8, 12, 20, 40)
OCTAVES = 14
MIDDLE = 1
CLASSES = MIDDLE + 2 * OCTAVES
CENTRE = CLASSES + 4 * OCTAVES
SIZE = CENTRE + 2 * OCTAVES
CONTEXTS = SIZE + 2 * OCTAVES
SEEN = (0, 1, 2, 2, 3)
MEAN_STEP = UNIT // 8
OVERLAP_INDICES = 13
SAME_ANCHOR = (0, 10, 1)
OTHER_ANCHOR = (30, 3, 0)


class SparseError(Exception):
    """Bytes that no encoder writes."""


def _above(tail, k):
    power = tail
    for _ in range(k):
        power = power * tail * tail
    return power / (1 + power)


def _bank():
    frequency = numpy.zeros((2 * BANK, SYMBOLS), dtype=numpy.int64)
    for d, tail in enumerate(TAILS):
        rest, largest = TOTAL, 0
        for k in range(1, 32):
            count = math.floor((_above(tail, k - 1) - _above(tail, k)) * TOTAL + 0.5)
            if count < 1:
                break
            frequency[d, 2 * k - 1] = frequency[d, 2 * k] = count
            rest, largest = rest - 2 * count, k
        frequency[d, LARGER] = max(1, math.floor(2 * _above(tail, largest) * TOTAL + 0.5))
        frequency[d, 0] = rest - frequency[d, LARGER]
    for d, count in enumerate(SET_FLAGS):
        frequency[BANK + d, :2] = TOTAL - count, count
    start = numpy.cumsum(frequency, axis=1) - frequency
    symbol = numpy.stack([numpy.repeat(numpy.arange(SYMBOLS), row) for row in frequency])
    return frequency, start, symbol


FREQUENCY, START, SYMBOL_AT = _bank()
VALUE_OF = numpy.array([(s + 1) // 2 if s % 2 else -(s // 2) for s in range(SYMBOLS)], dtype=numpy.int64)


class _Bytes:
    def __init__(self, data):
        self.data, self.at = bytes(data), 0

    def run(self, count):
        if count > len(self.data) - self.at:
            raise SparseError("too few bytes")
        self.at += count
        return self.data[self.at - count : self.at]

    def whole(self):
        value = 0
        for shift in range(0, 35, 7):
            byte = self.run(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise SparseError("a number that no encoder writes")

    def signed(self):
        value = self.whole()
        return -(value + 1) // 2 if value % 2 else value // 2


class _Bits:
    def __init__(self, data):
        self.data, self.count = data, 0

    def bit(self):
        if self.count >= 8 * len(self.data):
            raise SparseError("too few bits")
        bit = self.data[self.count >> 3] >> (7 - (self.count & 7)) & 1
        self.count += 1
        return bit

    def signed(self):
        zeros = 0
        while self.bit() == 0:
            zeros += 1
        code = 1
        for _ in range(zeros):
            code = 2 * code + self.bit()
        n = code - 1
        return (n + 1) // 2 if n % 2 else -(n // 2)


class _Symbols:
    """The entropy coder's reading half: interleaved rANS states over one stream of 16-bit words."""

    def __init__(self, source, flags, numbers, lanes):
        contexts = flags + numbers
        used = source.run((contexts + 7) // 8)
        self.flags = flags
        self.distribution = [BANK] * flags + [0] * numbers
        for c in range(contexts):
            if used[c >> 3] >> (c & 7) & 1:
                self.distribution[c] = source.run(1)[0] + (BANK if c < flags else 0)
        count = source.whole()
        self.states = numpy.frombuffer(source.run(4 * lanes), dtype="<u4").astype(numpy.int64)
        self.words = numpy.frombuffer(source.run(2 * count), dtype="<u2").astype(numpy.int64)
        self.larger = _Bits(source.run(source.whole()))
        self.at = 0

    def symbol(self, lane, context):
        d = self.distribution[context]
        state = int(self.states[lane])
        slot = state & (TOTAL - 1)
        symbol = int(SYMBOL_AT[d, slot])
        state = int(FREQUENCY[d, symbol]) * (state >> PRECISION) + slot - int(START[d, symbol])
        if state < FIRST_STATE:
            if self.at >= len(self.words):
                raise SparseError("too few words")
            state = state << 16 | int(self.words[self.at])
            self.at += 1
        self.states[lane] = state
        return symbol

    def flag(self, context):
        return self.symbol(0, context) == 1

    def number(self, lane, context):
        symbol = self.symbol(lane, self.flags + context)
        return self.larger.signed() if symbol == LARGER else int(VALUE_OF[symbol])

    def numbers(self, first, contexts):
        """Numbers of the lanes from `first` on, one for each context."""
        d = numpy.array([self.distribution[self.flags + c] for c in contexts])
        lanes = slice(first, first + len(d))
        state = self.states[lanes]
        slot = state & (TOTAL - 1)
        symbol = SYMBOL_AT[d, slot]
        state = FREQUENCY[d, symbol] * (state >> PRECISION) + slot - START[d, symbol]
        low = state < FIRST_STATE
        count = int(low.sum())
        if count:
            words = self.words[self.at : self.at + count]
            if len(words) < count:
                raise SparseError("too few words")
            state[low] = state[low] << 16 | words
            self.at += count
        self.states[lanes] = state
        values = VALUE_OF[symbol]
        for i in numpy.flatnonzero(symbol == LARGER):
            values[i] = self.larger.signed()
        return values

    def end(self):
        if self.at != len(self.words) or (self.states != FIRST_STATE).any():
            raise SparseError("symbols that no encoder writes")


def _weight_index(value):
    j = 0
    while j < len(THRESHOLDS) and value < THRESHOLDS[j]:
        j += 1
    return j


def _step_at(step, j):
    return min(MOST_STEP, max(1, (step * STEP_FACTORS[j] + PART * UNIT // 2) // (PART * UNIT)))


def _levels(coarsest, step, floor, below, top):
    """Levels in units of the codes 0 to `top`."""
    ends = sorted(end for end in (*THRESHOLDS, BOX_THRESHOLD) if end > floor)
    starts = [floor, *ends]
    levels = [below]
    for start, end in zip(starts, [*ends, LARGEST]):
        widest = max(FINEST, min(coarsest, _step_at(step, _weight_index(start))))
        count = -((start - end) // widest)
        for k in range(count):
            if len(levels) > top:
                return levels
            middle = start + (2 * k + 1) * (end - start) // (2 * count)
            levels.append(middle + 1 if middle % 2 == 0 else middle)
    if len(levels) <= top:
        raise SparseError("an objectness that no encoder writes")
    return levels


def _read_map(symbols, ny, nx, na):
    around_class = [sum(value > bound for bound in AROUND) for value in range(256)]
    predicted_class = [sum(value > bound for bound in PREDICTED) for value in range(64)]
    line, count = nx * na, ny * nx * na
    codes = [0] * count
    for row in range(count):
        a, cell = row % na, row // na
        x, y = cell % nx, cell // nx
        near = []
        if x > 0:
            near.append((row - na, 2))
        if y > 0:
            near.append((row - line, 2))
            if x > 0:
                near.append((row - line - na, 1))
            if x + 1 < nx:
                near.append((row - line + na, 1))
        near.extend((row - b, 2) for b in range(1, a + 1))
        for b in range(1, na - a):
            if x > 0:
                near.append((row - na + b, 1))
            if y > 0:
                near.append((row - line + b, 1))
        total = weight = 0
        for at, times in near:
            if codes[at]:
                total += times * codes[at]
                weight += times
        if not symbols.flag(around_class[min(255, total)] + (len(AROUND) + 1 if a == 0 else 0)):
            continue
        predicted = total // weight if weight else 1
        codes[row] = predicted + symbols.number(0, predicted_class[min(63, predicted)])
        if codes[row] < 1:
            raise SparseError("an objectness that no encoder writes")
    return codes


class _Scale:
    """The scale of class logits: slope 1 + gain * 4 sigmoid', constant between whole logits."""

    def __init__(self, gain):
        parts = math.floor(gain * 64 + 0.5)
        self.slopes = numpy.array([1 + parts * steepness / 4096 for steepness in STEEPNESS])
        self.starts = numpy.concatenate([[0], numpy.cumsum(self.slopes * UNIT)])
        self.end, self.scaled_end = len(STEEPNESS) * UNIT, self.starts[-1]

    def logit(self, scaled):
        scaled = numpy.asarray(scaled, dtype=numpy.float64)
        size = numpy.abs(scaled)
        i = numpy.minimum(numpy.searchsorted(self.starts, size, side="right") - 1, len(STEEPNESS) - 1)
        inner = i * UNIT + (size - self.starts[i]) / self.slopes[i]
        outer = size - self.scaled_end + self.end
        return numpy.where(size >= self.scaled_end, outer, inner) * numpy.where(scaled < 0, -1, 1)


def _logits(units):
    return numpy.clip(units, 1 - LARGEST, LARGEST - 1) / UNIT


def _around(anchor, na):
    result = []
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            for other in range(na):
                weight = (SAME_ANCHOR if other == anchor else OTHER_ANCHOR)[abs(dy) + abs(dx)]
                if weight:
                    result.append((dy, dx, other, weight))
    return result


def decode(data, shape, params):
    """The head [ny, nx, na, 5 + classes] as float32. `params` is the codec's, by name, as text."""
    ny, nx, na, no = shape
    nc, rows = no - 5, ny * nx * na
    source = _Bytes(data)
    class_rows, box_rows, predicted_rows, class_step, box_step, objectness_step = (source.whole() for _ in range(6))
    floor, below = source.signed(), source.signed()
    symbols = _Symbols(source, 2 * (len(AROUND) + 1), len(PREDICTED) + 1, 1)
    codes = numpy.array(_read_map(symbols, ny, nx, na), dtype=numpy.int64)
    symbols.end()
    coarsest = max(1, math.floor(float(params["coarsest"]) * UNIT + 0.5))
    top = int(codes.max()) if rows else 0
    levels = _levels(coarsest, objectness_step, floor, below, top)
    order = numpy.argsort(-codes, kind="stable")[: int((codes > 0).sum())].tolist()
    if max(class_rows, box_rows, predicted_rows) > len(order):
        raise SparseError("more rows than there are")
    index_of = [_weight_index(level) for level in levels]
    weights = [index_of[codes[row]] for row in order]

    lanes = min(16, max(5, nc))
    symbols = _Symbols(source, 0, CONTEXTS, lanes)
    middle = symbols.number(0, 0)
    means = [symbols.number(i % lanes, 0) + (middle if i < nc else 0) for i in range(nc + 4 * na)]
    means = numpy.array(means, dtype=numpy.int64) * MEAN_STEP
    scale = _Scale(float(params["peaks"]))
    overlaps = int(params["overlaps"])
    head = numpy.empty((ny, nx, na, no))
    head[..., 5:] = _logits(scale.logit(means[:nc]))
    head[..., :4] = _logits(means[nc:].reshape(na, 4))
    head = head.reshape(rows, no)
    head[:, 4] = numpy.array(levels)[codes] / UNIT

    places = {}
    classes = numpy.zeros((class_rows, nc), dtype=numpy.int64)
    boxes = numpy.zeros((box_rows, 4), dtype=numpy.int64)
    near = [_around(anchor, na) for anchor in range(na)]

    def predict_classes(row):
        cell, anchor = row // na, row % na
        y, x = cell // nx, cell % nx
        found, times = [], []
        for dy, dx, other, weight in near[anchor]:
            if 0 <= y + dy < ny and 0 <= x + dx < nx:
                place = places.get((cell + dy * nx + dx) * na + other, class_rows)
                if place < class_rows:
                    found.append(place)
                    times.append(weight)
        if not found:
            return means[:nc], 0
        total = sum(times)
        return (2 * (numpy.array(times) @ classes[found]) + total) // (2 * total), len(found)

    def average_box(column, others, anchor):
        found = [place for place in (places.get(other, box_rows) for other in others) if place < box_rows]
        if not found:
            return means[nc + 4 * anchor + column : nc + 4 * anchor + column + 2], 0
        count = len(found)
        return (2 * boxes[found, column : column + 2].sum(axis=0) + count) // (2 * count), 1

    def predict_box(row):
        cell, anchor = row // na, row % na
        y, x = cell // nx, cell % nx
        centre, has_centre = average_box(0, [cell * na + a for a in range(na) if a != anchor], anchor)
        beside = [(x > 0, row - na), (x + 1 < nx, row + na), (y > 0, row - nx * na), (y + 1 < ny, row + nx * na)]
        size, has_size = average_box(2, [other for inside, other in beside if inside], anchor)
        return numpy.concatenate([centre, size]), has_centre, has_size

    first = weights[0] if weights else 0
    for place in range(max(box_rows, class_rows)):
        row, weight = order[place], weights[place]
        octave = min(OCTAVES - 1, (weight - first) >> 1)
        if place < box_rows:
            step = _step_at(box_step, weight)
            if weight <= OVERLAP_INDICES:
                step = max(1, step // overlaps)
            predicted, centre, size = predict_box(row)
            at = CENTRE + centre * OCTAVES + octave, SIZE + size * OCTAVES + octave
            boxes[place] = predicted + symbols.numbers(1, (at[0], at[0], at[1], at[1])) * step
            head[row, :4] = _logits(boxes[place])
        if place < class_rows and nc > 0:
            step = _step_at(class_step, weight)
            predicted, seen = predict_classes(row)
            middle = symbols.number(0, MIDDLE + (OCTAVES if seen else 0) + octave) * max(1, step // 4)
            context = CLASSES + SEEN[min(len(SEEN) - 1, seen)] * OCTAVES + octave
            numbers = [symbols.numbers(0, (context,) * min(lanes, nc - c)) for c in range(0, nc, lanes)]
            classes[place] = predicted + middle + numpy.concatenate(numbers) * step
            head[row, 5:] = _logits(scale.logit(classes[place]))
        places[row] = place
    for place in range(class_rows, predicted_rows):
        predicted, seen = predict_classes(order[place])
        if seen:
            head[order[place], 5:] = _logits(scale.logit(predicted))
    symbols.end()
    if source.at != len(source.data):
        raise SparseError("bytes behind the end")
    return head.astype("<f4").reshape(shape)
