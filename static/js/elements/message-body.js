// An answer's text: gives each code block, as it arrives, the tools that the page keeps in a template.

class MessageBody extends HTMLElement {
  #observer = new MutationObserver(() => this.#dress());

  connectedCallback() {
    this.#dress();
    this.#observer.observe(this, { childList: true, subtree: true });
  }

  disconnectedCallback() {
    this.#observer.disconnect();
  }

  #dress() {
    const tools = document.getElementById("code-tools");
    for (const code of this.querySelectorAll(".code:not(:has(> copy-button))")) {
      code.append(document.importNode(tools.content, true));
    }
  }
}

customElements.define("message-body", MessageBody);
