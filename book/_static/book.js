/* A table that is wider than its place scrolls by itself: then the keyboard can reach it, too. */
const reach = () => {
  for (const table of document.querySelectorAll(".bd-article :is(table, .pst-scrollable-table-container, pre, .output)")) {
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
    else if (table.tabIndex === 0) table.removeAttribute("tabindex");
  }
};
reach();
addEventListener("load", reach);
addEventListener("resize", reach);
