// Copies the source in its template, or the code block it sits in.

const SHOWN = 2000;

class CopyButton extends HTMLElement {
  connectedCallback() {
    this.querySelector("button").addEventListener("click", () => this.#copy());
  }

  async #copy() {
    const source = this.querySelector("template");
    const text = source ? source.content.textContent : this.closest(".code").querySelector("pre").textContent;
    // Plain http on another host than localhost has no clipboard.
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else copyFromField(text);
    this.#confirm();
  }

  #confirm() {
    this.toggleAttribute("data-copied", true);
    this.dispatchEvent(new CustomEvent("announce", { bubbles: true, detail: this.dataset.copiedLabel }));
    setTimeout(() => this.toggleAttribute("data-copied", false), SHOWN);
  }
}

function copyFromField(text) {
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

customElements.define("copy-button", CopyButton);
