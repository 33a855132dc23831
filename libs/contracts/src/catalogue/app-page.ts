import { breakable, chips, facts, ownOf, page, type Site } from './frame.js';
import type { CatalogueApp, CatalogueFact, CatalogueReader } from './graph.js';
import { shortId } from '../trees/git.js';
import { type Html, type Row, html, joined, nothing, table } from './html.js';

const ROOT = '../';

/** One app: what it states, and of each fact it reads the fields, the purpose and where that holds. */
export function appPage(app: CatalogueApp, site: Site): string {
  const { name, owner, declared, produces, consumes, deployed } = app;
  const read = consumes.flatMap((fact) => site.facts.get(fact) ?? []);
  return page(
    `${name} (app)`,
    ROOT,
    html`<h1>${name}</h1>
${declared ? nothing : html`<p><span class="chip warn">not declared any more</span> It is deployed, and has no contract in the working tree.</p>`}
${facts([
  ['Owner', html`${owner}`],
  ['Deployed', site.catalogue.environments.length > 0 ? joined(site.catalogue.environments.map((environment) => places(environment, ownOf(deployed, environment))), ' ') : undefined],
  ['AsyncAPI', declared ? html`<a href="${encodeURIComponent(name)}.asyncapi.json">AsyncAPI 3.0 document</a>` : undefined],
])}
<h2 id="produces">Produces</h2>
${produces.length === 0 ? html`<p>It states no facts.</p>` : table(`Facts that ${name} states`, ['Fact', 'Meaning', 'Read by'], produces.map((fact) => producedRow(fact, site)))}
<h2 id="consumes">Consumes</h2>
${read.length === 0 ? html`<p>It reads no facts.</p>` : read.map((fact) => consumed(fact, fact.readers.find((reader) => reader.app === name)!, site))}`,
  );
}

function places(environment: string, commit: string | undefined): Html {
  return commit === undefined ? html`<span class="chip">not in ${environment}</span>` : html`<span class="chip place">${environment}</span> <code>${shortId(commit)}</code>`;
}

function producedRow(name: string, site: Site): Row {
  const fact = site.facts.get(name);
  const readers = fact?.readers.map(({ app }) => site.app(app, ROOT)) ?? [];
  return { head: site.fact(name, ROOT), cells: [html`${fact?.doc ?? ''}`, readers.length > 0 ? joined(readers, ', ') : html`<span class="quiet">nobody</span>`] };
}

/** Why, and a table of the selected fields: what each means, and where the selection holds. */
function consumed({ name, fields: known }: CatalogueFact, { purpose, grants, fields = [], deployed }: CatalogueReader, site: Site): Html {
  const { environments } = site.catalogue;
  const byPath = new Map(known.map((field) => [field.path, field]));
  const paths = [...new Set([...fields, ...Object.values(deployed).flat()])];
  const columns = environments.length > 0 ? ['Declared', ...environments] : [];
  const rows = paths.map((path): Row => {
    const field = byPath.get(path);
    const holds = [fields, ...environments.map((environment) => ownOf(deployed, environment) ?? [])].map((selected) => selected.includes(path));
    return {
      head: html`<code>${breakable(path)}</code><span class="type">${field?.type ?? ''}</span>`,
      cells: [html`${field?.doc ?? ''}${field?.tags ? html` ${chips(field.tags, 'tag')}` : nothing}`, ...columns.map((_column, at) => (holds[at] ? html`yes` : html`<span class="quiet">no</span>`))],
    };
  });
  return html`<h3>${site.fact(name, ROOT)}</h3>
<p>${purpose}</p>
${grants.length > 0 ? html`<p>May read ${chips(grants, 'tag')}</p>` : nothing}
${table(`Fields of ${name} that it reads`, ['Field', 'Meaning', ...columns], rows)}`;
}
