// What the user wrote.
