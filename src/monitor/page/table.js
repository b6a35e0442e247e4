// A table that sorts by its columns, filters its rows, and is a list of cards on a phone.
import { element, number } from "./format.js";

const MIN_FILTERED = 8; // minimum rows for a filter
const KEY_DELAY = 250; // delay (ms) from the last key to the request

/**
 * A column is `{ title, kind, sort, cell }`: `kind` is a class, `sort` the member to order by (none:
 * the column does not sort), `cell` makes text or a node of a row.
 */
export class Table {
  #section;
  #columns;
  #options;
  #sort;
  #filter = "";
  #body = element("tbody");
  #note = element("p", undefined, "soft note");
  #count = element("span", undefined, "count");
  #tools;
  #heads;

  /**
   * @param section an empty element
   * @param options `title`; `path` of its rows; `nothing`: text if there are no rows; `sort`: initial order;
   * `limit`; `mark`: the class of a row; `hidesEmpty`
   * @param onChange called when the user changes filter or order
   */
  constructor(section, options, onChange) {
    this.#section = section;
    this.#options = options;
    this.#columns = options.columns;
    this.#sort = options.sort ?? "";
    const table = element("table");
    const row = element("tr");
    this.#heads = this.#columns.map((column) => {
      const head = element("th", undefined, column.kind);
      head.scope = "col";
      if (column.sort) {
        const button = element("button", column.title);
        button.type = "button";
        button.addEventListener("click", () => {
          const first = column.kind === "number" ? `-${column.sort}` : column.sort;
          const other = first.startsWith("-") ? column.sort : `-${column.sort}`;
          this.#setSort(this.#sort === first ? other : first);
          onChange();
        });
        head.append(button);
      } else head.append(column.title);
      row.append(head);
      return head;
    });
    const top = element("thead");
    top.append(row);
    table.append(top, this.#body);
    const scroll = element("div", undefined, "scroll");
    scroll.append(table);
    this.#tools = this.#makeTools(onChange);
    const bar = element("div", undefined, "bar");
    const title = element("h2", options.title);
    title.append(" ", this.#count);
    bar.append(title, this.#tools);
    section.replaceChildren(bar, scroll, this.#note);
    this.#setSort(this.#sort);
  }

  /** The request for the rows: a path below `api/`. */
  get question() {
    const { path, limit = 100 } = this.#options;
    const query = new URLSearchParams({ limit });
    if (this.#filter) query.set("filter", this.#filter);
    if (this.#sort) query.set("sort", this.#sort);
    return `${path}?${query}`;
  }

  show({ rows, total, found = total }) {
    const { nothing, mark, hidesEmpty } = this.#options;
    this.#section.hidden = Boolean(hidesEmpty) && total === 0;
    this.#count.textContent = total > 0 ? number(total) : "";
    this.#tools.hidden = total < MIN_FILTERED && this.#filter === "";
    this.#section.querySelector("table").hidden = rows.length === 0;
    this.#body.replaceChildren(...rows.map((row) => {
      const line = element("tr", undefined, mark?.(row));
      for (const { title, kind, cell } of this.#columns) {
        const content = cell(row);
        const data = element("td", content, content === "" ? `${kind} none` : kind);
        data.dataset.label = title;
        line.append(data);
      }
      return line;
    }));
    this.#note.textContent = total === 0
      ? nothing
      : found === 0
      ? "No row contains this text."
      : found > rows.length
      ? `and ${number(found - rows.length)} more`
      : "";
  }

  #makeTools(onChange) {
    const tools = element("div", undefined, "tools");
    const order = element("select");
    order.setAttribute("aria-label", `Order of ${this.#options.title}`);
    for (const { title, sort, kind } of this.#columns) {
      if (!sort) continue;
      const option = element("option", `by ${title}`);
      option.value = kind === "number" ? `-${sort}` : sort;
      order.append(option);
    }
    order.addEventListener("change", () => {
      this.#setSort(order.value);
      onChange();
    });
    const filter = element("input");
    filter.type = "search";
    filter.placeholder = "Filter";
    filter.setAttribute("aria-label", `Filter ${this.#options.title}`);
    let timer;
    filter.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        this.#filter = filter.value.trim();
        onChange();
      }, KEY_DELAY);
    });
    tools.append(order, filter);
    return tools;
  }

  #setSort(sort) {
    this.#sort = sort;
    for (const [i, { sort: own }] of this.#columns.entries()) {
      if (!own) continue;
      const order = sort === own ? "ascending" : sort === `-${own}` ? "descending" : "none";
      this.#heads[i].setAttribute("aria-sort", order);
    }
    const order = this.#section.querySelector("select");
    if (order) order.value = sort;
  }
}
