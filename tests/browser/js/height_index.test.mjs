import assert from "node:assert/strict";
import { test } from "node:test";

import { HeightIndex } from "../../../webapp/static/js/window/height_index.js";

/** The same questions put to the index and to a plain list. */
function agree(index, heights) {
  assert.equal(index.length, heights.length);
  let offset = 0;
  heights.forEach((height, row) => {
    assert.equal(index.get(row), height);
    assert.equal(index.offsetOf(row), offset);
    if (height > 0) {
      assert.equal(index.rowAt(offset), row);
      assert.equal(index.rowAt(offset + height - 1), row);
    }
    offset += height;
  });
  assert.equal(index.total, offset);
}

test("rows lie one below the other, whatever was added, changed, dropped or put before", () => {
  const index = new HeightIndex();
  let heights = [];
  let seed = 7;
  const random = (limit) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % limit;

  for (let step = 0; step < 60; step += 1) {
    const count = random(120);
    const more = Array.from({ length: count }, () => 1 + random(300));
    if (step % 7 === 3) {
      index.prepend(more);
      heights = [...more, ...heights];
    } else if (step % 7 === 5) {
      index.drop(count);
      heights = heights.slice(count);
    } else {
      for (const height of more) index.push(height);
      heights.push(...more);
    }
    for (let row = random(9); row < heights.length; row += 37) {
      heights[row] = 1 + random(500);
      index.set(row, heights[row]);
    }
    agree(index, heights);
  }
});

test("beyond the ends are the first and the last row", () => {
  const index = new HeightIndex();
  assert.equal(index.rowAt(10), 0);
  for (let count = 0; count < 1_000; count += 1) index.push(10);
  assert.equal(index.rowAt(-5), 0);
  assert.equal(index.rowAt(1e9), 999);
});
