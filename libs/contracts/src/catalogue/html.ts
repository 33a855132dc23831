/** Text that is HTML already. Everything else is escaped: documentation in schemas is input, and whoever writes it must not write the page. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = Html | string | number | readonly Html[];

/** `` html`<p>${doc}</p>` ``: what is put in is escaped, for text and for attributes in double quotes, unless it was made by `html` itself. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(texts.map((text, at) => text + (at < parts.length ? shown(parts[at]!) : '')).join(''));
}

export const nothing = html``;

export function joined(items: readonly Html[], separator: string): Html {
  return new Html(items.map(({ text }) => text).join(separator));
}

/** One row of a table. */
export interface Row {
  /** What the row is about, as its heading. */
  readonly head: Html;
  readonly cells: readonly Html[];
  readonly id?: string;
}

/**
 * A table with headings for columns and rows. On a narrow screen the style shows its rows as blocks, for which some browsers forget that it is a table: so the roles are
 * written out, and each cell repeats its heading for the eye.
 */
export function table(caption: string, columns: readonly string[], rows: readonly Row[]): Html {
  return html`<table role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map((column) => html`<th role="columnheader" scope="col">${column}</th>`)}</tr></thead>
<tbody role="rowgroup">
${joined(
  rows.map(({ head, cells, id }) => html`<tr role="row"${id === undefined ? nothing : html` id="${id}"`}><th role="rowheader" scope="row">${head}</th>${cells.map((cell, at) => html`<td role="cell" data-column="${columns[at + 1]!}">${cell}</td>`)}</tr>`),
  '\n',
)}
</tbody>
</table>`;
}

function shown(part: Part): string {
  if (part instanceof Html) return part.text;
  return typeof part === 'object' ? part.map(({ text }) => text).join('') : escaped(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}
