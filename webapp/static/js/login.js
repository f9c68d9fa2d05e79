/**
 * The page that a person wanted may be named in the URL's fragment, which never reaches the server:
 * a form drops it, unless its own address has it. The redirect after the login keeps it.
 */

const form = document.querySelector("[data-login]");
if (form instanceof HTMLFormElement && location.hash !== "") {
  form.action = new URL(form.action).pathname + location.hash;
}
