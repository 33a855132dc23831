/** The app's settings, as given to `startService`: inject it into the options factory of FactlineModule and wherever settings are needed. */
export const SERVICE_CONFIG = Symbol('factline service config');
/** The service's structured log. */
export const SERVICE_LOG = Symbol('factline service log');
/** Where whatever is opened while providers are made leaves how to close it, for the case that the app is never made. */
export const OPENED = Symbol('factline opened');
/** The FactLog of the app. */
export const FACT_LOG = Symbol('factline log');
