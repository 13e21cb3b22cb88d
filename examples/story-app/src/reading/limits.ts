/** Bounds on what a story may do to the one who runs it. */

/** Turns after which a random reader counts as lost in a loop: several times a full play of the longest games written in Ink. */
export const MAX_TURNS = 500;

/** Steps of the runtime in one turn before a story counts as running in circles: about a second of work. */
export const MAX_STEPS_PER_TURN = 200_000;
