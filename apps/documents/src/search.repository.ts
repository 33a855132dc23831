import { Injectable } from '@nestjs/common';
import { Store } from 'factline/store';
import { EXCERPTS, RANKED_CHUNKS } from './limits.js';

export interface Found {
  readonly documentId: string;
  readonly name: string;
  /** Of the best of its pieces; comparable within one answer. */
  readonly rank: number;
  /** Plain text of the document, which may look like HTML and is none: escape it. What was found stands between ⟦ and ⟧, which are nowhere else in it. */
  readonly excerpts: readonly { readonly page: number; readonly text: string }[];
}

/** Excerpts are made for what is answered alone: each costs as much as parsing its piece again. */
const SEARCH = `
with asked as materialized (
  select language, configuration, websearch_to_tsquery(configuration, $1) as query
  from (values ('simple', 'simple'::regconfig), ('english', 'english'), ('german', 'german')) as known (language, configuration)
), found as materialized (
  select c.document_id, c.number, asked.configuration, asked.query, ts_rank(c.words, asked.query) as rank
  from asked join chunk c on c.words @@ asked.query and c.language = asked.language limit ${RANKED_CHUNKS}
), best as (
  select document_id, max(rank) as rank from found group by document_id order by rank desc, document_id limit $2
)
select d.id as "documentId", d.name, best.rank::float8 as rank, excerpts
from best join document d on d.id = best.document_id cross join lateral (
  select json_agg(json_build_object('page', page, 'text', ts_headline(configuration, translate(text, '⟦⟧', '[]'), query, 'StartSel=⟦, StopSel=⟧, MinWords=10, MaxWords=30')) order by rank desc, number) as excerpts
  from (select c.page, c.text, c.number, f.configuration, f.query, f.rank from found f join chunk c using (document_id, number) where f.document_id = d.id order by f.rank desc, c.number limit ${EXCERPTS}) as top
) as shown
order by best.rank desc, d.id`;

@Injectable()
export class SearchRepository {
  constructor(private readonly store: Store) {}

  /** The best documents first. Phrases are found within a piece; of a word that is in more than 5,000 pieces some are ranked. */
  async search(question: string, documents: number): Promise<Found[]> {
    return (await this.store.query<Found>(SEARCH, [question, documents], 'documents.search')).rows;
  }
}
