export { generateCatalogue } from './catalogue.js';
