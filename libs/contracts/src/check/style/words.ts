/** `orderPlaced_at2`, `KYCPassed`: the words of a name, in lower case. */
export function wordsOf(name: string): string[] {
  return (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g) ?? []).map((word) => word.toLowerCase());
}

function setOf(words: string): ReadonlySet<string> {
  return new Set(words.split(/\s+/).filter(Boolean));
}

/** Past tenses and participles that do not end in -ed; those with a prefix (resent, unpaid, overdrawn) are found by what follows it. */
const IRREGULAR = setOf(`
  arisen arose awoken became been began begun bent bet bid bitten blown born borne bought bound bred broke broken brought built burnt burst came cast caught chose chosen
  come cut dealt did done drawn drew driven drove dug eaten fallen fed fell felt fled flew flown forbidden forgave forgiven forgot forgotten fought found froze frozen gave
  given gone got gotten grew grown had heard held hid hidden hit hung hurt kept knew known laid learnt led left lent let lit lost made meant met paid proven put quit ran
  read ridden risen rode rose run said sat saw seen sent set shed shot shown shut slept slid sold spent spilt split spoke spoken spread spun stole stolen stood struck stuck
  sunk swept sworn swung taken taught thought threw thrown told took torn understood undertaken went withdrawn withdrew withheld withstood woken won worn wound written wrote
`);
const PREFIX = /^(?:re|un|over|under|out|mis|pre|fore|up|down)(?=.{2})/;

/** Words that end in -ed and say nothing of the past; those in -eed are not listed. */
const NO_PAST = setOf('biped embed hatred hundred imbed infrared kindred moped naked quadruped sacred wicked');
const PAST_IN_EED = setOf('agreed decreed disagreed freed guaranteed pedigreed refereed');

/** Whether a word says that something happened: `placed`, `sent`, `rebuilt`; not `feed`, `speed`, `bed`. Ambiguous words (`run`, `set`) count as the past. */
export function isPast(word: string): boolean {
  if (IRREGULAR.has(word) || IRREGULAR.has(word.replace(PREFIX, ''))) return true;
  if (word.endsWith('eed')) return PAST_IN_EED.has(word);
  return word.endsWith('ed') && /[aeiouy]/.test(word.slice(0, -2)) && !NO_PAST.has(word);
}

const MONEY = setOf('bonus commission cost deposit discount dividend expense fee income payment payout price profit rebate refund rent revenue salary surcharge tax turnover wage');
/** Money unless something else is measured: `totalWeight`, `energyBalance`. */
const SUMS = setOf('amount balance subtotal total');
const MEASURES = setOf(`
  age area count day distance duration energy factor gram growth height hour index kg km kwh length liter litre margin mass meter metre mile minute multiplier number pct
  percent percentage point power probability quantity rank rate ratio score second share size temperature trend units volume weight width
`);

/** Whether a name speaks of money. What comes last says what it is: `energyPrice` is a price, `priceIndex` and `taxRate` are not; `feePerHour` is a fee. */
export function namesMoney(name: string): boolean {
  const all = wordsOf(name);
  const words = all.includes('per') ? all.slice(0, all.indexOf('per')) : all;
  const measured = words.findLastIndex((word) => isOneOf(MEASURES, word));
  const money = words.findLastIndex((word) => isOneOf(MONEY, word));
  return money < 0 ? measured < 0 && words.some((word) => isOneOf(SUMS, word)) : money > measured;
}

/** In the plural, too: `fees`, `taxes`, `salaries`. */
function isOneOf(nouns: ReadonlySet<string>, word: string): boolean {
  return [word, word.replace(/s$/, ''), word.replace(/es$/, ''), word.replace(/ies$/, 'y')].some((noun) => nouns.has(noun));
}

const MOMENTS = setOf('date datetime instant time timestamp');
/** `expiresAt`, `dueOn`; participles (`paidAt`) are known already. */
const BEFORE_AT = setOf('begins closes due effective ends expires happens matures occurs opens renews starts valid');
/** `dependsOn`, `locatedAt`: a thing or a place, not a time. */
const NO_TIME = setOf('based built employed focused found hosted installed left located read run set stationed');

/** Whether a name speaks of a moment or a day: `paidAt`, `startedOn`, `birthDate`, `dateOfBirth`, `timestamp`. */
export function namesMoment(name: string): boolean {
  const words = wordsOf(name);
  const [last = '', before = ''] = words.toReversed();
  if (MOMENTS.has(last)) return true;
  if (last === 'at' || last === 'on') return BEFORE_AT.has(before) || (isPast(before) && !NO_TIME.has(before));
  return words.length > 2 && MOMENTS.has(words[0]!) && words[1] === 'of';
}
