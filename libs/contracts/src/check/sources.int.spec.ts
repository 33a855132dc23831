import { Workshop, refusal } from '../trees/repository.spec.support.js';
import { type Sources, sourcesOf } from './sources.js';

const TYPE = { 'schemas/shop/Money.avsc': '{"type": "fixed", "namespace": "shop", "name": "Money", "size": 8}' };

let workshop: Workshop;
beforeEach(() => {
  workshop = new Workshop();
  workshop.init('r');
});
afterEach(() => workshop.remove());

function unnamed(root = 'r'): Promise<Sources> {
  return sourcesOf(undefined, { root: workshop.path(root), schemas: 'schemas', apps: 'apps' }, () => Promise.reject(new Error('no registry is asked')));
}

describe('when no base is named', () => {
  it('and nothing is declared, that is said, whatever git would say', async () => {
    expect(await refusal(unnamed())).toMatchObject({ code: 'declaration.none', advice: expect.stringContaining('factline contracts init') as string });
    expect(await refusal(unnamed('.'))).toMatchObject({ code: 'declaration.none' });
  });

  it('nor anything committed, nor a repository there, the last commit is proposed', async () => {
    workshop.write('r/schemas/shop/Money.avsc', TYPE['schemas/shop/Money.avsc']);
    expect(await refusal(unnamed())).toMatchObject({ code: 'git.unknown-ref', kind: 'unavailable', retry: false, advice: expect.stringMatching(/no branch or tag here yet[^]*--against git:HEAD/) as string });
    workshop.write('plain/schemas/shop/Money.avsc', TYPE['schemas/shop/Money.avsc']);
    expect(await refusal(unnamed('plain'))).toMatchObject({ code: 'git.not-a-repository', advice: expect.stringContaining('--against git:HEAD') as string });
  });

  it('and there is no remote, the branches that there are can be named', async () => {
    workshop.commit('r', TYPE);
    expect(await refusal(unnamed())).toMatchObject({ code: 'git.unknown-ref', advice: expect.stringMatching(/There are: main\.[^]*--against git:<branch>/) as string });
  });

  it('and a fetch brings it, only the fetch is proposed: compared with its last commit, a clone in a pipeline would always pass', async () => {
    workshop.commit('r', TYPE);
    workshop.git('r', 'switch', '--quiet', '--create', 'change');
    workshop.clone('r', 'clone', '--branch=change', '--single-branch');
    const { advice } = await refusal(unnamed('clone'));
    expect(advice).toContain('git fetch origin');
    expect(advice).not.toContain('git:HEAD');
    workshop.follow('clone', /git fetch .*/.exec(advice)![0]);
    expect((await (await unnamed('clone')).read()).map(({ name }) => name)).toEqual([expect.stringContaining('merge base with origin/main')]);
  });
});

describe('a base that is none', () => {
  it.each(['http://user:s3cret@registry:8081', 'https://user:s3c@ret@registry/apis', 'registries:http://user:s3cret@registry'])('is told without the password in %s', async (against) => {
    const error = await refusal(sourcesOf([against], { root: workshop.path('r'), schemas: 'schemas', apps: 'apps' }, () => Promise.reject(new Error('no registry is asked'))));
    expect(error).toMatchObject({ code: 'check.base-unknown', message: expect.stringContaining('registry') as string });
    expect(JSON.stringify([error.message, error.advice, error])).not.toMatch(/s3c|user/);
  });
});
