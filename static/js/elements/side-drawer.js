// On phones the sidebar is a popover; while it is open the rest of the page is out of reach.

class SideDrawer extends HTMLElement {
  connectedCallback() {
    this.querySelector("[popover]").addEventListener("toggle", (event) => {
      document.getElementById("main").inert = event.newState === "open";
    });
  }
}

customElements.define("side-drawer", SideDrawer);
