# title: The Tide Clock
# author: the Quillwork developers

// A night on a small island where the sea keeps the clock's time, and not the other way about.
// Hours pass from nine in the evening; at five the sun comes up and the story is no longer yours.

VAR hour = 0
VAR has_key = false
VAR has_oil = false
VAR has_fork = false
VAR knows_drowned = false
VAR knows_keeper = false
VAR trust = 0

CONST DAWN = 8

-> evening

=== evening ===
The sea stopped at nine o'clock, in the middle of coming in.
You were carrying the soup across to the clock tower, as you do every night, and a wave that was about to break did not. It stood against the harbour wall with its lip curled over, as green as a bottle, and a shrimp inside it looked as surprised as you were.
*   [Touch the wave.]
    It was cold and it was wet. It was only a wave. But your finger left a dent in it, and the dent stayed.
    ~ trust += 1
*   [Look up at the tower.]
    The great tide clock, which has one hand and twelve hours and has not been wrong since your grandmother's day, said nine. It went on saying nine.
*   [Keep hold of the soup.]
    Whatever else had stopped, you reasoned, the soup was still cooling. You have always been a practical apprentice.
-   Old Odile Marsh keeps the clock. You, Wren, are learning to. Everyone on Sallow Island knows that the clock does not tell the tide the time. It is the other way about, and somebody has to wind it.
    The soup went down on the quay. Nobody drank it. You ran.
    -> tower

=== quay ===
{ quay mod 2 == 1:
    -> pass_hour ->
}
{quay == 1:The quay is long and wet and quiet. All the boats lean the same way, waiting to be lifted.|{~The boats lean. The gulls have all sat down on the water, which lets them.|Somebody has tied a rope to the standing wave, to see if it holds. It holds.|A child is skipping stones across the harbour. They do not sink. There are hundreds of them out there now.}}
It is {hour_name()}.
+   [To the clock tower.] -> tower
+   {bell_inn < 4} [Into the Drowned Bell, where there is light.] -> bell_inn
+   {not light} [Up the path to the lighthouse.] -> light
+   {light && not light.ferrol} [Back to the lighthouse.] -> light.gallery
+   [Down the steps to the flats.] -> flats
+   {not chandlery} [Try the chandler's door.] -> chandlery
*   {hour >= 4} [Sit down. Only for a minute.] -> rest

= rest
You sit on a bollard with your back to the tower. Nobody is chasing you. The stars turn over, since nobody has told them.
The harbour master's cat arrives, considers the state of the ocean, and gets into your lap.
*   [Think about Odile.]
    She never once told you what the clock was for. She said you would know when you had stopped asking.
    ~ trust += 1
*   [Think about the cat.]
    The cat is warm and has an opinion about everything and is not telling.
-   -> quay

=== tower ===
{tower == 1:The door stands open. Odile's chair is pushed back, her lamp is lit, and Odile is not in it.|The tower hums very faintly, like a glass after you have taken your finger from the rim.}
-> workshop

= workshop
{workshop == 1:Over the bench hangs her coat. That frightens you more than the sea.}
+   {not ledger} [Read the ledger on the bench.] -> ledger
+   {not coat} [Go through her coat.] -> coat
+   [Climb to the clock itself.] -> works
+   [Go out to the quay.] -> quay

= ledger
It is a tide book: a line for every high water for two hundred years, in nine people's handwriting. The last line is in Odile's.
<i>Nine o'clock. I have let it stop. Wren will want to know why, and Wren will have to find out, for I never could say it properly. Gone to see it from the other side.</i>
~ knows_keeper = true
*   [Turn back through the pages.]
    A hundred and forty years ago the hand changes in the middle of a line. Beside it, small: <i>clock moved forward for the new harbour. St Brannock's under by the morning. God forgive us, it was only to be a yard.</i>
    ~ knows_drowned = true
*   [Close it.]
    You close it, and put the pen back in its groove, because she would.
-   -> workshop

= coat
In the left pocket, string, toffee, half a letter to the Board of Harbours that begins <i>Gentlemen, I am aware that the sea</i>.
In the right pocket, a tuning fork wrapped in a handkerchief.
~ has_fork = true
You strike it on the bench. Far out, a long way under, something answers.
-> workshop

= works
{works == 1:Eighty-one steps. You have carried oil up every one of them.|Eighty-one steps again. They have not got fewer.}
The pendulum hangs straight down, the size of a rowing boat. It ought to weigh so much that nothing could stop it. It looks as if it were listening.
+   {has_key} [Fit the winding key.] -> the_choice
+   {not has_key} [Push the pendulum with both hands.]
    You push until your boots slide. It is like pushing a hill that likes you. It wants winding, and the key is not on its hook.
    -> works_return
+   {has_fork && not strike} [Hold the tuning fork to the bob.] -> strike
+   [Go down again.] -> workshop

= works_return
~ trust += 1
*   [Say something to it.]
    "I'd like to help," you tell the clock. "I just don't know with what."
    The hum goes up by half a tone.
*   [Give it a pat.]
    You pat it, feeling foolish. It is warmer than brass should be.
+   ->
    You stand with it a while. Neither of you moves.
-   -> workshop

= strike
The fork sings, and the pendulum sings back, and then from the floor of the sea a third voice joins in: a church bell, cracked, in no hurry.
~ knows_drowned = true
You had always been told the bell was only a story.
-> works

=== bell_inn ===
{bell_inn == 1:Everyone who is not in bed is in the Drowned Bell, being certain about things. They stop when they see you, since you are the nearest thing to the management.|The talk has gone round once and started again.}
<- gossip
+   {has_key == false} [Ask who saw Odile last.] -> tam
+   [Go back out.] -> quay

= tam
"Me," says Tam Oakes, who mends nets and does not look up. "Quarter to nine. Walking out along the flats in her good shoes. She gave me something to hold. For whoever came asking, she said, and didn't shout."
*   ["I haven't shouted."]
    "You haven't, no."
    -> given
*   {trust >= 2} [Wait, and say nothing.]
    You wait. He finishes the knot. It is a good knot.
    "She said you might do that, too."
    -> given
*   ["TAM OAKES, GIVE ME THAT KEY."]
    He puts his net down and looks at you for a time, quite kindly.
    "Try me again," he says, "when you've had a walk."
    ~ trust -= 1
    -> quay

= given
Out of the net comes a brass key as long as your forearm.
~ has_key = true
"It'll wind either way," says Tam. "Most don't know that. She said to say."
+   [Thank him.] -> quay
+   {knows_drowned} ["Tam. Is there really a village out there?"] -> tam_story

= tam_story
"My great-gran was born in it." He holds the net up to the lamp, looking for holes on purpose this time. "They moved the clock on, to get deep water for the steamers. Only to be a yard. Sea doesn't know what a yard is."
"Could it go back?"
"Anything that was wound," says Tam, "can be unwound. It's who's standing where when you do it."
-> quay

=== gossip ===
*   ["What do they say happened?"]
    They say it is the moon. They say it is the Board of Harbours. Mrs Pell says it is a judgement, and on being asked what for, says she will think of something.
    ++  [Listen a little longer.]
        A small boy says it stopped because it was tired. Nobody hears him but you.
        ~ trust += 1
        -> bell_inn
    ++  [That's plenty.]
        -> bell_inn
*   {knows_keeper} ["She let it stop. She wrote it down."]
    The room takes that in the way sand takes water.
    "Then she'll have had her reasons," says the landlady at last, and fills your pocket with bread, which is what she does instead of crying.
    -> bell_inn
-> DONE

=== light ===
-> pass_hour ->
The lighthouse goes round and round over a sea that does not. Each time the beam passes it finds the same waves, holding the same poses, like a class being photographed.
-> gallery

= gallery
Miss Ferrol keeps the light and has kept it forty years. She has her back to you and her eye to the long telescope.
"Apprentice," she says. "Come and look at this and tell me I'm too old."
*   [Look.] -> lens
+   {lens} [Ask for a little of the lamp oil.] -> ferrol
+   [Leave her to it.] -> quay

= lens
Out past the bar, where the flats run down into the deep, the water has gone clear as it has gone still. There is a roof under it. There are forty roofs, and a lane between them, and in the lane a lamp, moving.
~ knows_drowned = true
"She's got her good shoes on," says Miss Ferrol.
-> gallery

= ferrol
"For the clock?" She measures it out like medicine. "It'll want it, if you mean to make it do something it has never done. If you only mean to make it do as it's told, you could use butter."
~ has_oil = true
*   ["What should I do?"]
    "My dear. I point a lamp at rocks. I don't tell the boats."
    ~ trust += 1
*   ["Thank you."]
    "Mind the third step."
-   -> quay

=== chandlery ===
Shut, and the blind down. But Mr Arkwright has chalked on the slate, in case of custom:
<i>ROPE. TAR. NO TIDE TABLES. DO NOT ASK.</i>
*   [Leave a penny for luck.]
    You post a penny through the door. After a moment it comes back out with a lump of barley sugar.
    ~ trust += 1
*   [Go on.]
-   -> quay

=== flats ===
-> pass_hour ->
{flats == 1:The tide was half in when it stopped, so the flats are half a floor. You walk out between standing waves as if down a street with the shutters up.|Your own footprints are here, full of water that has not moved.}
-> shore

= shore
+   {not seal} [Go and see what is making that noise.] -> seal
+   {knows_drowned} [Walk out toward the drowned village.] -> walk
+   [Go back to the quay.] -> quay

= walk
Past the last sandbar the sea is a hill, and the hill has steps in it, and the steps are wet and very clean. Somebody's good shoes have been down them.
*   [Go down.] -> drowned
*   [Call her name.]
    "Odile!" It goes out flat across the water and comes back a good deal later, in the cracked voice of a bell.
    -> call_again
+   [Not yet.] -> shore

= call_again
*   [Go down.] -> drowned
*   [Go back while there's a way back.] -> shore

=== seal ===
A seal, lying on the sand in a wave's shadow, telling the whole bay that it is not a fish and should not be left out like this.
*   {has_oil} [Oil the sand, and let it slide.]
    You use a spoonful. The seal goes off down the beach like a drawer closing, and looks back once, insulted and grateful.
    ~ trust += 2
    -> flats.shore
*   [Haul it.]
    It weighs what a sofa weighs and it helps as much. But you get it to the edge of the standing water, and it leans in, and is gone, and the hole it made keeps the shape of a seal.
    ~ trust += 1
    -> pass_hour ->
    -> flats.shore
*   [Share the bread, and go.]
    It does not want bread. It watches you go with enormous eyes.
    -> flats.shore

=== drowned ===
-> pass_hour ->
The lane is called Brannock's Row. There is a sign. There are curtains, of a sort. The water hangs overhead as a ceiling hangs in a hall, and it is lit from under by a storm lantern on a church step.
"You brought no coat," says Odile Marsh. "And nor did I. What a pair."
-> odile

= odile
*   ["Why did you stop it?"]
    "To see what it was we put under. Every night of my life I've wound four hundred people a little deeper. I wanted one look. Then I sat down, and then I found I couldn't be the one to get up."
    -> odile
*   ["Are you coming home?"]
    "That's rather up to you. I'm very comfortable. I should be sorry to drown, but I'd understand it."
    -> odile
*   {has_fork} [Give her back the fork.]
    She strikes it on the step and the bell over your heads answers, and all down the Row, behind the curtains, there is a sound like people turning over in bed.
    ~ has_fork = false
    ~ trust += 1
    -> odile
*   {has_key} ["I have the key. What should I do with it?"]
    "Four things," says Odile, "and I've wanted to do each of them. Wind it on. Wind it back. Leave it be. Or take the pin out and let the sea go, like a horse you've had long enough. I never had the nerve for any but the first."
    -> odile
*   {trust >= 4} [Sit down on the step beside her.] -> stay
+   [Leave her the lantern, and climb.] -> flats

= stay
You sit. It is a good step. She shares the toffee out by feel.
By and by she says: "Somebody ought to keep this end, too."
*   ["I could."] -> end_moon
*   ["Somebody ought. Not yet, though."] -> odile

=== the_choice ===
The key goes in as though it had only been out for a moment. The whole tower leans forward to hear.
*   [Wind it on, as it has always been wound.] -> end_keeper
*   {knows_drowned} [Wind it back.] -> backwards
*   {has_oil && trust >= 3} [Oil the pin, draw it, and let the pendulum go.] -> end_wild
*   [Take the key out again, and leave the sea where it is.] -> end_still
+   [Wait. Not yet.] -> tower.workshop

=== backwards ===
It resists for one turn. Then it runs under your hand like a wheel going downhill.
{drowned && trust >= 2: -> end_risen}
You have not thought who is standing where. You think of it now, at about the eleventh turn, and find that it will not stop.
-> end_emptied

=== pass_hour ===
~ hour = hour + 1
{hour >= DAWN: ->-> dawn}
->->

=== dawn ===
The light comes up grey, then pink, then all at once. It finds you {drowned:with wet shoes|on the stones}, {has_key:with a key as long as your arm and nothing wound|with empty hands}.
The sea has had a night to think about it. {trust >= 4:It seems to look at you first, the way you'd look at a friend before taking the last biscuit.|It does not ask anyone.}
{trust >= 4: -> end_wild}
-> end_dawn

=== end_keeper ===
You wind it on. Forty turns, as ever. The pendulum sighs and swings, the wave at the harbour wall falls over with a crash and a very startled shrimp, and the boats of Sallow Island lift all together, like a congregation.
Odile Marsh {drowned:comes up the flats at a run with her skirts in her fists, a yard ahead of the flood, laughing|is found in the morning, asleep in the chandler's dinghy, and will not say how}.
She lets you write the line in the book. <i>High water, late. Wound by W.</i>
-> END

=== end_still ===
You leave it. In the end people can get used to a great deal. They cut steps in the standing waves, and there is a market on the flats on Saturdays; by spring you can walk to the mainland with dry feet and walk home again.
Nobody drowns off Sallow any more. Nobody sails. You oil the clock each night, though it does not go, and each night it hums, half a tone lower than the night before.
-> END

=== end_risen ===
You have stood in the lane, so you know where to stop. Twenty-nine turns. You feel each one go by under the key like a step in the dark that is there after all.
The sea draws off down the bay with its hat in its hands. By first light there is a steeple, and under it a row of roofs, steaming, and on a church step an old woman in her good shoes with her hand up against the sun.
Four hundred people come out and ask what year it is. It takes all day to tell them.
The new harbour is a field. The steamers write letters. You do not answer.
-> END

=== end_emptied ===
The sea goes out, and goes on going. By morning there is no sea. There is a steeple, and forty roofs, and a great many surprised fish; there is a shelf, and then a slope, and then a dark that nobody has seen the bottom of since the world was poured.
{drowned:Somewhere down there a lantern is still lit.|Somewhere down there, you learn much later, was an old woman on a step.}
They will be a long time forgiving you. You wind it on, one turn a night. It will be half a lifetime, but it is coming back.
-> END

=== end_wild ===
The pin comes out with a sound like a held breath. The pendulum swings once, the whole width of the tower, and does not swing back.
Then the sea comes in, by itself, because it feels like it. It comes in at a slant. It goes out again after supper, thinks better of it, has another look at the harbour. It has been a very long time.
There are no more tables. You learn to watch: the gulls, the moon, the colour over the bar. {drowned:Odile comes home on the third day with a basket of somebody's best plates, and takes up watching too.|On the third day a pair of good shoes comes in on the tide, and behind them, walking, Odile.}
You have never slept so well.
-> END

=== end_moon ===
So Odile goes up, in her good shoes, with the lantern, and winds the clock on forty turns; and you keep the other end.
It isn't lonely. There are four hundred of them, once they get used to being woken. You ring the bell at high water, and the tower hums back, and that is the two of you saying good night.
On still evenings a child skipping stones will sometimes hear it and ask what it is. "Only a story," they are told.
-> END

=== end_dawn ===
It comes in all at once, everything it was owed. When it has finished there is a good deal less quay, and the tower stands in the harbour up to its waist with its one hand going round and round and round.
You will wind it tonight. You will wind it every night. But it is the sea's clock now, and it lets you.
-> END

=== function hour_name() ===
{hour:
- 0: nine
- 1: ten at night
- 2: eleven
- 3: midnight
- 4: one in the morning
- 5: two
- 6: three, and cold
- 7: four, and the east has gone the colour of a plate
- else: nearly day
}
~ return
