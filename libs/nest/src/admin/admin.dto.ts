import { Allow, IsBoolean, IsIn, IsOptional, Matches } from 'class-validator';
import { ADMIN_TEXT_CHARACTERS } from '../limits.js';
import { field } from '../http/field.js';

const text = { max: ADMIN_TEXT_CHARACTERS };
const MOST = Number.MAX_SAFE_INTEGER;
const SCHEMA_ID_MAX = 2 ** 32 - 1;

/** Which keys are meant; nothing is not everything. */
export class FilterQuery {
  @field.text({ ...text, optional: true }) key?: string;
  @field.text({ ...text, optional: true }) code?: string;
  @IsOptional() @Matches(/^\d{1,10}$/) schema?: string;
  @IsOptional() @IsIn(['true', true]) all?: 'true' | true;
}

class FilterBody {
  @field.text({ ...text, optional: true }) key?: string;
  @field.text({ ...text, optional: true }) code?: string;
  @field.whole({ min: 0, max: SCHEMA_ID_MAX, optional: true }) schema?: number;
  @IsOptional() @IsBoolean() all?: boolean;
}

export class PauseBody {
  @field.text(text) reason!: string;
  @field.text(text) by!: string;
}

export class ResumeBody {
  @field.text(text) by!: string;
}

export class RequeueBody extends FilterBody {
  @field.whole({ min: 0, max: 1_000, optional: true }) canary?: number;
  @field.whole({ min: 1, max: 10_000, optional: true }) rate?: number;
  @field.whole({ min: 0, max: 100, optional: true }) stopAtPercent?: number;
  @field.text(text) by!: string;
}

export class EditBody {
  @field.text(text) key!: string;
  @field.whole({ min: 0, max: MOST }) offset!: number;
  @field.text({ ...text, optional: true }) fact?: string;
  /** Checked against the selection, with the path of what is wrong. */
  @Allow() data!: unknown;
  @field.text(text) reason!: string;
  @field.text(text) by!: string;
}

export class PurgeBody extends FilterBody {
  @field.whole({ min: 0, max: MOST, optional: true }) offset?: number;
  @field.text(text) reason!: string;
  @field.text(text) by!: string;
}
