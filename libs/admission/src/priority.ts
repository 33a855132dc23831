/** What a request is worth, most important first (Google's SRE book, chapter 21, calls it criticality). */
export const priorities = ['critical', 'normal', 'sheddable'] as const;
export type Priority = (typeof priorities)[number];
