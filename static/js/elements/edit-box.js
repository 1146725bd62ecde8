// Editing a question in place: Ctrl or ⌘ with Enter asks again, Esc closes.

class EditBox extends HTMLElement {
  connectedCallback() {
    const details = this.querySelector("details");
    const text = this.querySelector("textarea");
    details.addEventListener("toggle", () => details.open && text.focus());
    text.addEventListener("keydown", (event) => {
      if (event.isComposing || event.keyCode === 229) return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) text.form.requestSubmit();
      if (event.key === "Escape") this.#close(details);
    });
  }

  #close(details) {
    details.open = false;
    details.querySelector("summary").focus();
  }
}

customElements.define("edit-box", EditBox);
