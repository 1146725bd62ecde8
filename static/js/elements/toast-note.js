// A note that leaves by itself, though never under the pointer or the focus.

const SHOWN = 8000;

class ToastNote extends HTMLElement {
  #timer = null;

  connectedCallback() {
    for (const pause of ["pointerenter", "focusin"]) this.addEventListener(pause, () => clearTimeout(this.#timer));
    for (const resume of ["pointerleave", "focusout"]) this.addEventListener(resume, () => this.#wait());
    this.querySelector(".toast__close").addEventListener("click", () => this.remove());
    this.addEventListener("htmx:afterRequest", (event) => event.detail.successful && this.remove());
    this.#wait();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.remove(), SHOWN);
  }
}

customElements.define("toast-note", ToastNote);
