/** Elements by their `data-*` hooks. One that is missing is a bug, and said at once. */

/**
 * @template {Element} T
 * @param {ParentNode} root  or the element itself
 * @param {string} hook  "jump" for `data-jump`
 * @param {new () => T} type
 * @returns {T}
 */
export function find(root, hook, type) {
  const selector = `[data-${hook}]`;
  const isRoot = root instanceof Element && root.matches(selector);
  const element = isRoot ? root : root.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`no ${type.name} with data-${hook}`);
  return element;
}

/** A fresh copy of the one element in `<template data-template="…">`. */
export function copyOf(name) {
  const template = document.querySelector(`template[data-template="${name}"]`);
  const content = template instanceof HTMLTemplateElement ? template.content : null;
  const copy = content?.firstElementChild?.cloneNode(true);
  if (!(copy instanceof HTMLElement)) throw new Error(`no template ${name}`);
  return copy;
}

export function setText(root, hook, text) {
  const element = find(root, hook, Element);
  if (element.textContent !== text) element.textContent = text;
}

/** @param {string} icon  a symbol of icons.html */
export function setIcon(root, icon) {
  find(root, "icon", SVGUseElement).setAttribute("href", `#icon-${icon}`);
}
