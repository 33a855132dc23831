import type { FactChange } from '../check/fact-changes.js';
import { META_FIELD } from '../meta.js';
import { breakable, chips, code, deprecationNote, facts, ownOf, page, type Site } from './frame.js';
import type { CatalogueFact, CatalogueField, CatalogueReader } from './graph.js';
import { type Html, type Row, html, joined, nothing, table } from './html.js';
import { sorted } from '../sorted.js';
import type { FactVersion } from './versions.js';

const ROOT = '../';

/** One fact: what it means, field by field, who reads which of them where, how it came to be so, and what one looks like. */
export function factPage(fact: CatalogueFact, site: Site): string {
  const { name, doc, declared, deprecated, fields, readers, versions, example } = fact;
  const { environments } = site.catalogue;
  return page(
    `${name} (fact)`,
    ROOT,
    html`<h1>${breakable(name)}</h1>
${declared ? nothing : html`<p><span class="chip warn">not declared any more</span> Something that is deployed still states or reads it.</p>`}
${deprecated === undefined ? nothing : html`<p>${deprecationNote(deprecated)}</p>`}
${doc === undefined ? nothing : html`<p class="lead">${doc}</p>`}
${summary(fact, site)}
<h2 id="fields">Fields</h2>
${table(`Fields of ${name}, and who reads them`, ['Field', 'Meaning', 'Read by'], fields.map((field) => fieldRow(field, environments, site)))}
<h2 id="readers">Readers</h2>
${readers.length === 0 ? html`<p>No app reads it.</p>` : table(`Apps that read ${name}`, ['App', 'Purpose', 'Fields'], readers.map((reader) => readerRow(reader, environments, site)))}
<h2 id="versions">Versions</h2>
${history(name, versions)}
<h2 id="example">Example</h2>
${example === undefined ? html`<p>No small value of it exists.</p>` : html`<p>Invented, in Avro's JSON encoding.</p>\n<pre tabindex="0" role="region" aria-label="Example"><code>${JSON.stringify(example, null, 2)}</code></pre>`}`,
  );
}

function summary({ topic: name, producer, file, compatibility, fingerprint, tags }: CatalogueFact, site: Site): Html {
  const topic = site.topics.get(name);
  const settings = sorted(Object.entries(topic?.settings ?? {}), ([key]) => key).map(([key, value]) => html`<li><code>${key}=${value}</code></li>`);
  return facts([
    ['Stated by', site.app(producer, ROOT)],
    ['Topic', html`${code(name)}${topic ? html`, ${topic.kind}, ${topic.partitions} partitions` : nothing}`],
    ['Key', topic && code(topic.keyField)],
    ['Compatibility', html`${compatibility}`],
    ['Tags', tags.length > 0 ? chips(tags, 'tag') : undefined],
    ['Schema', html`${code(file)}, ${code(fingerprint)}`],
    ['Headers', topic?.headers && html`CloudEvents 1.0: ${code('ce_*')} and ${code('content-type')}`],
    ['Topic settings', settings.length > 0 ? html`<ul class="plain">${settings}</ul>` : undefined],
  ]);
}

function fieldRow(field: CatalogueField, environments: readonly string[], site: Site): Row {
  const { path, type, doc, symbols, unit, tags, deprecated, declared, writtenIn, readBy } = field;
  const missing = declared ? environments.filter((name) => !writtenIn.includes(name)) : [];
  const notes = [
    ...(declared ? [] : [html`<span class="chip warn">not declared any more</span>`]),
    ...(deprecated === undefined ? [] : [deprecationNote(deprecated)]),
    ...(tags ? [chips(tags, 'tag')] : []),
    ...(symbols ? [html`One of ${joined(symbols.map(code), ', ')}.`] : []),
    ...(unit === undefined ? [] : [html`Unit: ${unit}.`]),
    ...(field.default === undefined ? [] : [html`Default ${code(JSON.stringify(field.default))}.`]),
    ...(missing.length > 0 ? [html`Not written yet in ${missing.join(', ')}.`] : []),
    ...(declared || writtenIn.length === 0 ? [] : [html`Still written in ${writtenIn.join(', ')}.`]),
  ];
  const isMeta = path === META_FIELD;
  const readers = readBy.map((reader) => html`<li>${site.app(reader.app, ROOT)}${places(reader, environments)}</li>`);
  return {
    id: `field-${path}`,
    head: html`<code>${breakable(path)}</code><span class="type">${type}</span>`,
    cells: [
      html`${doc ?? ''}${isMeta ? html` <a href="${ROOT}index.html#meta">What it holds</a>` : nothing}${notes.length > 0 ? html`<div class="notes">${joined(notes, ' ')}</div>` : nothing}`,
      readers.length > 0 ? html`<ul class="plain">${readers}</ul>` : html`<span class="quiet">${isMeta ? 'every reader that asks' : 'nobody'}</span>`,
    ],
  };
}

/** Nothing to say when it is declared and so deployed everywhere. */
function places({ declared, environments }: CatalogueField['readBy'][number], all: readonly string[]): Html {
  if (all.length === 0) return nothing;
  const chipsOf = environments.length > 0 ? html` ${chips(environments, 'place')}` : html` <span class="chip">not deployed</span>`;
  return declared ? chipsOf : html`${chipsOf} <span class="chip warn">not declared any more</span>`;
}

function readerRow({ app, purpose, grants, fields, deployed }: CatalogueReader, environments: readonly string[], site: Site): Row {
  const here = fields?.join(' ');
  const others = environments.map((name) => ({ name, there: ownOf(deployed, name) })).filter(({ there }) => there?.join(' ') !== here);
  const elsewhere = others.map(({ name, there }) => html`<div class="notes"><span class="chip place">${name}</span> ${there ? joined(there.map(code), ', ') : 'does not read it'}</div>`);
  return {
    head: site.app(app, ROOT),
    cells: [
      html`${purpose}${grants.length > 0 ? html`<div class="notes">May read ${chips(grants, 'tag')}</div>` : nothing}`,
      html`${fields ? joined(fields.map(code), ', ') : html`<span class="chip warn">not declared any more</span>`}${elsewhere}`,
    ],
  };
}

function history(name: string, versions: readonly FactVersion[]): Html {
  const registered = versions.some(({ version }) => version !== undefined);
  if (!registered) return html`<p>No registered version is known here; ${code('factline contracts pull')} brings them.</p>`;
  const rows = versions.toReversed().map(
    ({ version, id, fingerprint, changes }, at): Row => ({
      head: version === undefined ? html`not registered` : html`${version}`,
      cells: [
        html`${changes.length > 0 ? html`<ul class="plain">${changes.map(changeItem)}</ul>` : at === versions.length - 1 ? 'First version.' : 'Nothing that is shown here.'}`,
        html`${id === undefined ? nothing : html`id ${id}, `}${code(fingerprint)}`,
      ],
    }),
  );
  return table(`Versions of ${name}, the newest first`, ['Version', 'What changed', 'Schema'], rows);
}

function changeItem({ kind, path, message }: FactChange): Html {
  return html`<li><span class="chip ${kind}">${kind}</span> ${path === '' ? 'the fact' : code(path)}: ${message}</li>`;
}
