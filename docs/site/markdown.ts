// Markdown to HTML, with the names of headings that GitHub gives them.
import { Marked, type Tokens } from "marked";

export interface Section {
  /** Name of its heading within the page. */
  readonly id: string;
  readonly title: string;
  /** Its words, for the search. */
  readonly text: string;
}

export interface Rendered {
  readonly title: string;
  readonly html: string;
  readonly sections: readonly Section[];
}

/** The name that GitHub gives a heading. */
export const anchor = (heading: string): string =>
  heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/g, "-");

export function render(markdown: string): Rendered {
  const marked = new Marked({ gfm: true });
  const sections: { id: string; title: string; text: string }[] = [];
  const used = new Map<string, number>();
  marked.use({
    renderer: {
      heading({ tokens, depth }: Tokens.Heading) {
        const html = this.parser.parseInline(tokens);
        const title = plain(html);
        const name = anchor(title);
        const count = used.get(name) ?? 0;
        used.set(name, count + 1);
        const id = count === 0 ? name : `${name}-${count}`;
        const link = `<a class="anchor" href="#${id}" aria-label="Link to this section">#</a>`;
        return `<h${depth} id="${id}">${html} ${link}</h${depth}>\n`;
      },
    },
  });
  const html = (marked.parse(markdown) as string)
    .replaceAll("<table>", '<div class="scroll"><table>').replaceAll("</table>", "</table></div>")
    .replaceAll("<img ", '<img loading="lazy" ');
  // A section reaches from its heading to the next one.
  for (const part of html.split(/(?=<h[1-6] id=")/)) {
    const [, id, heading] = /^<h[1-6] id="([^"]*)">(.*?) <a class="anchor"/s.exec(part) ?? [];
    if (id === undefined) continue;
    const text = plain(part.replace(/^.*?<\/h[1-6]>/s, ""));
    sections.push({ id, title: plain(heading), text });
  }
  return { title: sections[0]?.title ?? "", html, sections };
}

const ENTITIES: Record<string, string> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&amp;": "&",
};

/** The text of HTML that marked has made. */
function plain(html: string): string {
  return html.replaceAll(/<[^>]*>/g, " ").replaceAll(
    /&(?:lt|gt|quot|#39|amp);/g,
    (all) => ENTITIES[all],
  )
    .replaceAll(/\s+/g, " ").replaceAll(/ (?=[.,;:)])/g, "").trim();
}
