/** Contrast of text is 4.5 or more on each of its backgrounds, light and dark (WCAG 2.2, 1.4.3). */
export const STYLE = `:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --quiet: #59636e; --line: #d4d9df; --shade: #f4f6f8; --link: #0550ae; --mark: #7a4b00; --mark-shade: #fff3d6; --tag: #6e2c8f; --tag-shade: #f7ecfc; --place: #1a5c37; --place-shade: #e6f5ec;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171b; --ink: #e4e7eb; --quiet: #9ba5b0; --line: #363d46; --shade: #1d2228; --link: #7cb7ff; --mark: #f3c969; --mark-shade: #3a2e10; --tag: #dcb0f5; --tag-shade: #35203f; --place: #8fdbae; --place-shade: #15351f; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header, main { max-width: 68rem; margin: 0 auto; padding: 0.75rem 1.25rem; }
main { padding-bottom: 4rem; }
header nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; border-bottom: 1px solid var(--line); padding-bottom: 0.75rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 1rem 0 0.5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0.5rem; }
h3 { font-size: 1.05rem; margin: 2rem 0 0.25rem; }
p { margin: 0.25rem 0 0.75rem; max-width: 45rem; }
.lead { font-size: 1.125rem; }
a { color: var(--link); text-underline-offset: 0.15em; }
a:focus-visible, input:focus-visible, pre:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; padding: 0.5rem 1rem; background: var(--paper); }
.skip:focus { left: 0; top: 0; z-index: 1; }
code { font: 0.9em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { background: var(--shade); border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem 1rem; overflow: auto; overflow-wrap: normal; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 0.75rem 2rem; margin: 1rem 0; padding: 1rem; background: var(--shade); border-radius: 6px; }
dt { color: var(--quiet); font-size: 0.875rem; }
dd { margin: 0; }
table { width: 100%; border-collapse: collapse; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th, td { text-align: left; vertical-align: top; padding: 0.5rem 1rem 0.5rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--quiet); font-size: 0.875rem; font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; width: 24%; min-width: 10rem; }
td:nth-child(3):last-child { min-width: 11rem; }
tbody tr:target { background: var(--mark-shade); }
.type { display: block; font-weight: 400; font-size: 0.875rem; color: var(--quiet); }
.notes { margin-top: 0.25rem; font-size: 0.875rem; color: var(--quiet); }
.quiet { color: var(--quiet); }
.plain { list-style: none; margin: 0; padding: 0; }
.plain li + li { margin-top: 0.25rem; }
.chip { display: inline-block; padding: 0 0.45em; border-radius: 4px; font-size: 0.8125rem; background: var(--shade); color: var(--ink); }
.chip.warn, .chip.removed { background: var(--mark-shade); color: var(--mark); }
.chip.tag, .chip.changed { background: var(--tag-shade); color: var(--tag); }
.chip.place, .chip.added { background: var(--place-shade); color: var(--place); }
.search { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 0.75rem; margin: 1.25rem 0 0; }
.search input { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--quiet); border-radius: 6px; padding: 0.35rem 0.6rem; flex: 0 1 20rem; min-width: 0; }
[hidden] { display: none !important; }
@media (max-width: 44rem) {
  table, tbody, tr, th, td { display: block; width: auto; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { padding: 0.75rem 0; border-bottom: 1px solid var(--line); }
  tbody th, td, td:nth-child(3):last-child { width: auto; min-width: 0; padding: 0 0 0.25rem; border: 0; }
  td::before { content: attr(data-column) ": "; color: var(--quiet); font-size: 0.875rem; }
  td .plain { display: inline; }
  td .plain li { display: inline-block; margin: 0 0.5rem 0 0; }
}
@media print { header, .search, .skip { display: none; } }
`;

/** Shows the search field, which is of no use without it, and the rows that hold every word. */
export const SCRIPT = `const form = document.querySelector('.search');
if (form) {
  const rows = [...document.querySelectorAll('#facts + table tbody tr, #apps + table tbody tr')];
  const searched = rows.map((row) => ({ row, text: row.textContent.toLowerCase() }));
  const found = document.getElementById('found');
  const search = () => {
    const words = document.getElementById('search').value.toLowerCase().split(/\\s+/).filter(Boolean);
    let count = 0;
    for (const { row, text } of searched) {
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) count++;
    }
    found.textContent = words.length > 0 ? count + ' found' : '';
  };
  form.hidden = false;
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', search);
  search();
}
`;
