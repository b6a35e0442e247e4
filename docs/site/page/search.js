// Searches the documentation: `minisearch.js` and `search-index.js` are loaded before.
/* global MiniSearch, SEARCH_INDEX */
{
  const MAX_SHOWN = 12;
  const root = document.body.dataset.root;
  const input = document.getElementById("search");
  const found = document.getElementById("found");
  const { options, index } = globalThis.SEARCH_INDEX;
  const search = globalThis.MiniSearch.loadJS(index, {
    idField: "href",
    ...options,
    searchOptions: {
      prefix: true,
      fuzzy: 0.15,
      boost: { section: 3, page: 2 },
      combineWith: "AND",
    },
  });

  const show = () => {
    const text = input.value.trim();
    found.hidden = text === "";
    if (text === "") return;
    const hits = search.search(text).slice(0, MAX_SHOWN);
    const list = document.createElement("ol");
    for (const { href, page, section, text } of hits) {
      const link = document.createElement("a");
      link.href = root + href;
      const title = document.createElement("b");
      title.textContent = section === page ? page : `${page} › ${section}`;
      const excerpt = document.createElement("span");
      excerpt.textContent = text;
      link.append(title, excerpt);
      link.addEventListener("click", () => {
        found.hidden = true;
        input.value = "";
      });
      const item = document.createElement("li");
      item.append(link);
      list.append(item);
    }
    found.replaceChildren(hits.length > 0 ? list : "Nothing found.");
  };

  input.addEventListener("input", show);
  input.form.addEventListener("submit", (event) => {
    event.preventDefault();
    found.querySelector("a")?.click();
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") found.hidden = true;
    if (event.key === "/" && document.activeElement !== input) {
      event.preventDefault();
      input.focus();
    }
  });

  // The contents are open beside the page, and closed above it on a phone.
  const contents = document.querySelector("nav details");
  const wide = matchMedia("(min-width: 60rem)");
  const set = () => contents.open = wide.matches;
  wide.addEventListener("change", set);
  set();
}
