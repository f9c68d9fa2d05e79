/**
 * What a program prints for a terminal, as a terminal would show it: the rule of
 * `webapp/commands/screen.py`. The text keeps its colours (SGR). Where the cursor is not at its end, a
 * sequence there says where it is, so that more can be written.
 *
 * @typedef {{letter: string, style: string}} Cell
 */

import { ESCAPES } from "./plain_text.js";

const MAX_COLUMNS = 1024;
const EDIT = /[\b]|\r(?!\r*(?:\n|$))|\x1B\[[\d;]*[A-GK]|\x1B\[0*J/;
const UPWARD = /\x1B\[[\d;]*[AFJ]/;
const UNFINISHED = /(?:\x1B(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1B\n]*\x1B?)?|\r)$/;
const CONTROLS = new RegExp(`${ESCAPES.source}|[\\n\\r\\b]`, "g");
const MOVE = /^\x1B\[(\d*)(?:;\d*)*([A-GJK])$/;
const SGR = /^\x1B\[([\d;:]*)m$/;
const TAIL = 40;

/** Whether text that follows another changes it. */
export function isEdit(before, added) {
  return EDIT.test(before.slice(-TAIL) + added);
}

/** A text with more written to it. */
export function written(before, added) {
  const from = UPWARD.test(before.slice(-TAIL) + added) ? 0 : before.lastIndexOf("\n") + 1;
  return before.slice(0, from) + settled(before.slice(from) + added);
}

/** A text without what moves the cursor. */
export function settled(text) {
  const [rest = ""] = UNFINISHED.exec(text) ?? [];
  const screen = new Screen();
  const whole = text.slice(0, text.length - rest.length).replace(/\r+\n/g, "\n");
  let at = 0;
  for (const { 0: control, index } of whole.matchAll(CONTROLS)) {
    screen.write(whole.slice(at, index));
    screen.obey(control);
    at = index + control.length;
  }
  screen.write(whole.slice(at));
  return screen.text() + rest;
}

class Screen {
  /** @type {Cell[][]} */
  #rows = [[]];
  #row = 0;
  #column = 0;
  #style = "";

  get #cells() {
    return this.#rows[this.#row] ?? [];
  }

  write(text) {
    const cells = this.#cells;
    for (const letter of text) {
      while (cells.length < this.#column) cells.push({ letter: " ", style: "" });
      cells[this.#column] = { letter, style: this.#style };
      this.#column += 1;
    }
  }

  obey(control) {
    const [, sgr] = SGR.exec(control) ?? [];
    const [, digits = "", letter = ""] = MOVE.exec(control) ?? [];
    if (control === "\n") this.#nextRow();
    else if (control === "\r") this.#moveTo(0);
    else if (control === "\b") this.#moveTo(this.#column - 1);
    else if (sgr !== undefined) this.#paint(control, sgr);
    else if (letter !== "") this.#obeyMove(letter, Math.min(Number(digits), MAX_COLUMNS));
  }

  #obeyMove(letter, number) {
    const count = Math.max(number, 1);
    if (letter === "G") this.#moveTo(count - 1);
    else if (letter === "C") this.#moveTo(this.#column + count);
    else if (letter === "D") this.#moveTo(this.#column - count);
    else if (letter === "J" || letter === "K") this.#erase(letter, number);
    else {
      const row = this.#row + (letter === "B" || letter === "E" ? count : -count);
      this.#row = Math.max(0, Math.min(row, this.#rows.length - 1));
      this.#moveTo(letter === "E" || letter === "F" ? 0 : this.#column);
    }
  }

  #erase(letter, number) {
    const cells = this.#cells;
    if (number === 0) cells.splice(this.#column);
    else if (letter === "K" && number === 2) cells.splice(0);
    else if (letter === "K" && number === 1) {
      const end = Math.min(this.#column + 1, cells.length);
      for (let at = 0; at < end; at += 1) cells[at] = { letter: " ", style: "" };
    }
    if (letter === "J" && number === 0) this.#rows.splice(this.#row + 1);
  }

  #nextRow() {
    this.#row += 1;
    if (this.#row === this.#rows.length) this.#rows.push([]);
    this.#column = 0;
  }

  #moveTo(column) {
    if (this.#cells.length > MAX_COLUMNS && column < this.#cells.length) {
      this.#row = this.#rows.length - 1;
      this.#nextRow();
      return;
    }
    this.#column = Math.max(0, Math.min(column, MAX_COLUMNS));
  }

  #paint(control, codes) {
    if (/^0*$/.test(codes)) this.#style = "";
    else this.#style = /^0*;/.test(codes) ? control : this.#style.replace(control, "") + control;
  }

  text() {
    let style = "";
    const change = (next) => {
      const sgr = style === next ? "" : (style === "" ? "" : "\x1b[0m") + next;
      style = next;
      return sgr;
    };
    const rows = this.#rows.map((cells) => cells.map((cell) => change(cell.style) + cell.letter).join(""));
    const up = this.#rows.length - 1 - this.#row;
    const isAtEnd = up === 0 && this.#column === this.#cells.length;
    const cursor = isAtEnd ? "" : `${up > 0 ? `\x1b[${up}A` : ""}\x1b[${this.#column + 1}G`;
    return rows.join("\n") + change(this.#style) + cursor;
  }
}
