import assert from "node:assert/strict";
import { test } from "node:test";

import { Layout } from "../../../webapp/static/js/window/layout.js";

/** A section with blocks of 10 pixels. */
function section(key, count) {
  return { key, firstId: 1, endId: count + 1, guess: () => 10 };
}

/** A layout whose leads are 100 and whose feet are 50 pixels high. */
function layoutOf(...sections) {
  const layout = new Layout();
  layout.setSections(sections);
  sections.forEach((source, index) => {
    layout.setHeight({ section: index, row: 0 }, 100);
    layout.setHeight({ section: index, row: source.endId - source.firstId + 1 }, 50);
  });
  return layout;
}

test("rows are found by their place and places by their offset, across sections", () => {
  const layout = layoutOf(section("a", 3), section("b", 0), section("c", 1_000));
  assert.equal(layout.total, 180 + 150 + 10_150);
  let place = { section: 0, row: 0 };
  let count = 0;
  for (let offset = 0; place !== null; count += 1) {
    assert.equal(layout.offsetOf(place), offset);
    assert.deepEqual(layout.placeAt(offset), place);
    const { part, source } = layout.describe(place);
    assert.deepEqual(layout.find(source, part), place);
    offset += part === "lead" ? 100 : part === "foot" ? 50 : 10;
    place = layout.after(place);
  }
  assert.equal(count, 3 + 2 + 2 + 1_002);
  assert.deepEqual(layout.placeAt(1e9), { section: 2, row: 1_001 });
});

test("blocks that come before, after, and go leave the others where they belong", () => {
  const source = section("a", 5);
  const layout = layoutOf(source);
  layout.setHeight(layout.find(source, 3), 70);

  source.endId += 2;
  source.firstId -= 4;
  layout.sync();
  assert.equal(layout.total, 100 + 11 * 10 + 60 + 50);
  assert.deepEqual(layout.find(source, 3), { section: 0, row: 7 });
  assert.equal(layout.offsetOf(layout.find(source, 3)), 100 + 60);

  source.firstId += 5;
  layout.sync();
  assert.equal(layout.find(source, 1), null);
  assert.equal(layout.offsetOf(layout.find(source, 3)), 110);
});

test("a section that stays keeps its heights when others come before it", () => {
  const later = section("b", 2);
  const layout = layoutOf(later);
  layout.setHeight({ section: 0, row: 1 }, 500);
  layout.setSections([section("a", 1), later]);
  assert.equal(layout.offsetOf(layout.find(later, 2)) - layout.offsetOf(layout.find(later, 1)), 500);
});
