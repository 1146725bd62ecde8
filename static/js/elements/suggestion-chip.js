// Puts its words into the composer.

class SuggestionChip extends HTMLElement {
  connectedCallback() {
    this.querySelector("button").addEventListener("click", () => {
      const detail = this.textContent.trim();
      this.dispatchEvent(new CustomEvent("composer:insert", { bubbles: true, detail }));
    });
  }
}

customElements.define("suggestion-chip", SuggestionChip);
