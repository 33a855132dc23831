import { readLandscape } from './landscape.js';
import { productionFindings } from './production-findings.js';
import { FOLDERS, files, tree } from './shop.spec.support.js';

const shop = (produces: string, app = 'shop') => ({ [`apps/${app}/contracts.yaml`]: `app: ${app}\nowner: people\nproduces:\n  - ${produces}\nconsumes: []\n` });
const found = async (now: Record<string, string>, before: Record<string, string> = {}) => {
  const findings = productionFindings(await readLandscape(tree('working tree', now), FOLDERS), [await readLandscape(tree('base', before), FOLDERS)]);
  return findings.map(({ rule, place, message }) => `${rule} ${place.file}:${place.line} ${message}`);
};

describe('what an app says that it produces', () => {
  it('is declared, on its own topic', async () => {
    expect(await found({ ...files(), ...shop('shop.OrderPlaced') })).toEqual([]);
  });

  it('is not declared: at its line', async () => {
    expect(await found({ ...files(), ...shop('shop.OrderPlacd') })).toEqual(["produces-unknown apps/shop/contracts.yaml:4 There is no fact 'shop.OrderPlacd'."]);
  });

  it('lies on a topic of somebody else', async () => {
    expect(await found({ ...files(), ...shop('shop.OrderPlaced', 'mailer') })).toEqual(["produces-foreign apps/mailer/contracts.yaml:4 shop.OrderPlaced lies on the topic shop.order, which 'shop' owns, not 'mailer'."]);
  });

  it('was declared at a base: that is told as a removal', async () => {
    expect(await found({ 'schemas/shop/topic.yaml': files()['schemas/shop/topic.yaml']!, ...shop('shop.OrderPlaced') }, files())).toEqual([]);
  });
});
