import { RegistryHttp } from './registry-http.js';

it.each([
  ['http://user:s3cret@registry:8081/', { username: 'user', password: 's3cret' }],
  ['http://us%40er:s3%2Fcret@registry:8081', { username: 'us@er', password: 's3/cret' }],
  ['http://us%er:50%@registry:8081', { username: 'us%er', password: '50%' }],
])('the credentials of %s are taken as they are meant, and stand in no address', (url, auth) => {
  expect(new RegistryHttp({ url })).toMatchObject({ address: 'http://registry:8081', auth });
});
