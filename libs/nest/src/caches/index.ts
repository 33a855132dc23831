export { InjectCache, getCacheToken, provideCache } from './caches.js';
