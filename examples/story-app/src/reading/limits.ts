/** Bounds on what a story may do to the one who runs it. */

/** Turns after which a random reader counts as lost in a loop: several times a full play of the longest games written in Ink. */
export const MAX_TURNS = 500;

/** Steps of the runtime in one turn before a story counts as running in circles: about a second of work. */
export const MAX_STEPS_PER_TURN = 200_000;

/** Lines in one turn: several times the longest chapter that anybody would read without a choice. */
export const MAX_LINES_PER_TURN = 3_000;

/** Pieces of text in one line. The runtime looks through them at each step, so a line without end gets slower and slower. */
export const MAX_PIECES_PER_LINE = 4_000;
