import { applyDecorators } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsEmail, IsIn, IsInt, IsObject, IsString, Length, Matches, Max, Min, ValidateBy, ValidateIf, ValidateNested } from 'class-validator';
import { PAGE_ROWS, PAGE_ROWS_MAX, TOKEN_CHARACTERS } from '../limits.js';

export interface FieldOptions {
  description?: string;
  example?: unknown;
  /** The field may be left out. */
  optional?: boolean;
  /** null is a value of its own: "none". */
  nullable?: boolean;
}

function documented({ optional = false, nullable = false, ...shown }: FieldOptions, schema: object, rules: PropertyDecorator[]): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ ...schema, ...shown, required: !optional, nullable } as ApiPropertyOptions),
    ValidateIf((_object, value) => !(optional && value === undefined) && !(nullable && value === null)),
    ...rules,
  );
}

/** A calendar day that exists: 2026-02-30 does not. */
export function isDay(value: unknown): value is string {
  if (typeof value !== 'string' || !/^(19|20|21)\d\d-\d\d-\d\d$/.test(value)) return false;
  const date = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value);
}

const asDay = ValidateBy({ name: 'isDay', validator: { validate: isDay, defaultMessage: () => '$property must be a day that exists, as YYYY-MM-DD' } });
const inNfc = Transform(({ value }) => (typeof value === 'string' ? value.normalize('NFC') : (value as unknown)));

/** Fields of request bodies and queries: validation and OpenAPI in one decorator, so that the two cannot disagree. */
export const field = {
  /** Text of visible characters without line breaks; put into Unicode's composed form (NFC), so that equal names are equal. */
  text: ({ min = 1, max, ...options }: FieldOptions & { min?: number; max: number }) =>
    documented(options, { type: 'string', minLength: min, maxLength: max }, [
      inNfc,
      IsString(),
      Length(min, max),
      Matches(/^\P{C}*$/u, { message: '$property must not contain control characters' }),
      ...(min > 0 ? [Matches(/^\S(.*\S)?$/su, { message: '$property must not begin or end with a space' })] : []),
    ]),
  /** Text of an exact form, said in words for the client. */
  code: ({ pattern, expects, ...options }: FieldOptions & { pattern: RegExp; expects: string }) =>
    documented(options, { type: 'string', pattern: pattern.source }, [IsString(), Matches(pattern, { message: `$property must be ${expects}` })]),
  /** An id that a client may choose: short, and the same in a path, a header and a log. */
  id: (options: FieldOptions = {}): PropertyDecorator => field.code({ pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, expects: '1 to 64 letters, digits, dots, underscores or hyphens', ...options }),
  email: (options: FieldOptions = {}) => documented(options, { type: 'string', format: 'email', maxLength: 254 }, [IsEmail(), Length(3, 254)]),
  /** A whole number; text is not converted. */
  whole: ({ min, max, ...options }: FieldOptions & { min: number; max: number }) =>
    documented(options, { type: 'integer', minimum: min, maximum: max }, [IsInt(), Min(min), Max(max)]),
  day: (options: FieldOptions = {}) => documented(options, { type: 'string', format: 'date' }, [asDay]),
  oneOf: ({ values, ...options }: FieldOptions & { values: readonly string[] }) => documented(options, { type: 'string', enum: values }, [IsIn(values)]),
  object: ({ type, ...options }: FieldOptions & { type: () => new () => object }) =>
    documented(options, { type }, [IsObject(), ValidateNested(), Type(type)]),
  /** Objects of one kind, in their order. */
  list: ({ type, min, max, ...options }: FieldOptions & { type: () => new () => object; min: number; max: number }) =>
    documented(options, { type: [type()], minItems: min, maxItems: max }, [
      IsArray(),
      ArrayMinSize(min),
      ArrayMaxSize(max),
      IsObject({ each: true }), // ValidateNested looks into a list in a list, and takes an empty one
      ValidateNested({ each: true }),
      Type(type),
    ]),
};

export interface Page<Item> {
  items: readonly Item[];
  /** Cursor of the page behind this one; null at the end. */
  next: string | null;
}

/** Query of a list: keyset paging, and `after` for reading one's own write. */
export class PageQuery {
  @field.code({ pattern: /^[A-Za-z0-9_-]{1,1500}$/, expects: 'the `next` of the page before', optional: true, description: '`next` of the page before.' })
  cursor?: string;

  @Type(() => Number)
  @field.whole({ min: 1, max: PAGE_ROWS_MAX, optional: true, description: `Rows at most; default ${PAGE_ROWS}.` })
  limit: number = PAGE_ROWS;

  @field.text({ max: TOKEN_CHARACTERS, optional: true, description: 'Factline-Token of a write that must be visible.' })
  after?: string;

  /**
   * One page. `rows` answers up to so many items in key order, behind the key; one more than the limit is asked for, because it says that there is a next page.
   */
  async page<Item>(rows: (behind: string, count: number) => Promise<readonly Item[]>, key: (item: Item) => string): Promise<Page<Item>> {
    const behind = Buffer.from(this.cursor ?? '', 'base64url').toString('utf8').replaceAll('\0', '');
    const found = await rows(behind, this.limit + 1);
    const items = found.slice(0, this.limit);
    return { items, next: found.length > items.length ? Buffer.from(key(items.at(-1)!)).toString('base64url') : null };
  }
}
