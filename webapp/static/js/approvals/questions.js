/** Questions with choices, or one's own words, as a form. */

import { copyOf, find, setText } from "../view/dom.js";

/** The choice that is a text. */
const OWN = "\0own";

/**
 * @param {{id: string, header?: string, question: string, multiSelect?: boolean,
 *     options: {label: string, description?: string}[]}[]} questions
 * @param {string} prefix  of the names of its fields: unique in the document
 */
export function questionsForm(questions, prefix) {
  const sets = questions.map((question, index) => fieldsetOf(question, `${prefix}-${index}`));

  return {
    elements: sets.map(({ element }) => element),

    /** @returns {Record<string, string[]> | null}  null: one has no answer, and the focus is in it */
    read() {
      const missing = sets.find(({ chosen }) => chosen().length === 0);
      missing?.ask();
      if (missing !== undefined) return null;
      return Object.fromEntries(questions.map(({ id }, index) => [id, sets[index]?.chosen() ?? []]));
    },
  };
}

function fieldsetOf(question, name) {
  const element = copyOf("question");
  const isMany = question.multiSelect === true;
  setText(element, "header", question.header ?? "");
  find(element, "header", HTMLElement).hidden = !question.header;
  setText(element, "question", question.question);
  const list = find(element, "options", HTMLElement);
  const own = find(element, "own", HTMLInputElement);
  const choices = question.options.map(({ label, description }) => choiceOf(label, description ?? "", isMany, name));
  const ownChoice = find(element, "own-choice", HTMLInputElement);
  Object.assign(ownChoice, { type: isMany ? "checkbox" : "radio", name, value: OWN });
  list.prepend(...choices.map(({ item }) => item));
  own.setAttribute("aria-label", `Own words: ${question.question}`);
  own.addEventListener("input", () => {
    ownChoice.checked = own.value.trim() !== "";
  });
  // Without a choice there is nothing but words.
  find(element, "own-mark", HTMLElement).hidden = question.options.length === 0;

  const inputs = [...choices.map(({ input }) => input), ownChoice];
  const problem = find(element, "missing", HTMLElement);
  element.addEventListener("input", () => {
    problem.hidden = true;
  });

  function chosen() {
    const values = inputs.filter(({ checked }) => checked).map(({ value }) => value);
    const words = own.value.trim();
    return values.flatMap((value) => (value === OWN ? (words === "" ? [] : [words]) : [value]));
  }

  function ask() {
    problem.hidden = false;
    (ownChoice.checked || question.options.length === 0 ? own : inputs[0])?.focus();
  }

  return { element, chosen, ask };
}

function choiceOf(label, description, isMany, name) {
  const item = copyOf("choice");
  const input = find(item, "choice", HTMLInputElement);
  Object.assign(input, { type: isMany ? "checkbox" : "radio", name, value: label });
  setText(item, "label", label);
  setText(item, "description", description);
  find(item, "description", HTMLElement).hidden = description === "";
  return { item, input };
}
