# title: The Ferry
-> quay

=== quay ===
The ferry leaves at six. It is a minute to six.
*   [Run for it.] -> deck
+   [Buy a ticket first.] -> kiosk

=== kiosk ===
The clerk counts your coins twice. Behind you somebody rings a bell.
+   [Wait for the change.] -> late
+   [Leave the change and run.] -> deck

=== deck ===
You land on the deck with both feet and no dignity.
-> END

=== late ===
The ferry is a light on the water, and then it is not.
-> END
