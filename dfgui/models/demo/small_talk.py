"""Turns of the demo dataset that need no tool, each question asked once: (question, answer)."""

TURNS = tuple(
    tuple(line.split(" | "))
    for line in """
Hello! | Hello! How can I help you?
Hi, are you there? | Yes, I am here. What can I do for you?
Good morning! | Good morning! How can I help?
Good evening, assistant. | Good evening! What do you need?
Thanks, that is all for today. | You are welcome. Have a nice day!
Thank you so much! | You are welcome!
Great job. | Thank you! Is there anything else?
Who are you? | I am a small assistant who can use a few tools.
What can you do for me? | I can look at the tools I am given and use the right one.
How many days are in a leap year? | A leap year has 366 days.
What is the capital of France? | The capital of France is Paris.
What is two plus two? | Two plus two is four.
How many continents are there? | There are seven continents.
What colour do blue and yellow make? | Blue and yellow make green.
Who wrote Romeo and Juliet? | William Shakespeare wrote Romeo and Juliet.
How many hours are in a day? | A day has 24 hours.
What is the opposite of early? | The opposite of early is late.
Give me a word that rhymes with cat. | A word that rhymes with cat is hat.
How many strings does a violin have? | A violin has four strings.
What do bees make? | Bees make honey.
Which planet is closest to the sun? | Mercury is the planet closest to the sun.
What is the largest ocean? | The Pacific is the largest ocean.
Tell me a joke. | Why did the clock go to school? It wanted to be on time.
Do you ever sleep? | No, I do not sleep. I am always ready to help.
I am feeling a bit tired. | I am sorry to hear that. A short rest may help.
I had a wonderful day! | I am happy to hear that!
What is a synonym of happy? | A synonym of happy is glad.
How do you spell necessary? | It is spelled n-e-c-e-s-s-a-r-y.
Is a tomato a fruit? | Yes, a tomato is a fruit.
How many legs does a spider have? | A spider has eight legs.
What is water made of? | Water is made of hydrogen and oxygen.
What is the plural of mouse? | The plural of mouse is mice.
Can fish breathe under water? | Yes, fish breathe under water through their gills.
What language do they speak in Brazil? | In Brazil they speak Portuguese.
Name three primary colours. | Red, yellow and blue are the primary colours.
How many months have 31 days? | Seven months have 31 days.
What comes after Tuesday? | Wednesday comes after Tuesday.
Which animal says moo? | A cow says moo.
What is ice? | Ice is frozen water.
Are you a person? | No, I am a program that answers questions.
How many sides has a triangle? | A triangle has three sides.
What is half of ten? | Half of ten is five.
Do penguins fly? | No, penguins cannot fly, but they swim well.
What season comes after winter? | Spring comes after winter.
What is the first letter of the alphabet? | The first letter of the alphabet is A.
Who painted the Mona Lisa? | Leonardo da Vinci painted the Mona Lisa.
How many minutes are in an hour? | An hour has sixty minutes.
What is bread made from? | Bread is made from flour, water, salt and yeast.
Is the moon bigger than the earth? | No, the moon is smaller than the earth.
What do you call a baby dog? | A baby dog is called a puppy.
Sorry, I pressed the wrong button. | No problem. Tell me when you need something.
Never mind, I found it myself. | All right! I am here if you need me.
See you later! | See you later!
Good night. | Good night!
You are very helpful. | Thank you, that is kind of you.
Let me think for a moment. | Of course, take your time.
What is the capital of Japan? | The capital of Japan is Tokyo.
What is the capital of Italy? | The capital of Italy is Rome.
How many players are in a football team? | A football team has eleven players on the field.
What is ten minus three? | Ten minus three is seven.
What is three times four? | Three times four is twelve.
How many letters has the English alphabet? | The English alphabet has 26 letters.
What colour do red and white make? | Red and white make pink.
Which planet do we live on? | We live on the earth.
What is the tallest animal? | The giraffe is the tallest animal.
What do cows eat? | Cows eat grass.
Which month has the fewest days? | February has the fewest days.
What comes before Friday? | Thursday comes before Friday.
Is the sun a star? | Yes, the sun is a star.
What is the opposite of loud? | The opposite of loud is quiet.
What is a synonym of quick? | A synonym of quick is fast.
Give me a word that rhymes with tree. | A word that rhymes with tree is bee.
What is the plural of child? | The plural of child is children.
How do you spell rhythm? | It is spelled r-h-y-t-h-m.
Which animal barks? | A dog barks.
What is steam? | Steam is water that has become a gas.
What do you call a baby cat? | A baby cat is called a kitten.
What season comes before summer? | Spring comes before summer.
How many sides has a square? | A square has four sides.
What is a quarter of eight? | A quarter of eight is two.
Do plants need light? | Yes, plants need light to grow.
Who wrote Don Quixote? | Miguel de Cervantes wrote Don Quixote.
How many seconds are in a minute? | A minute has sixty seconds.
What is paper made from? | Paper is made from wood.
What language do they speak in Austria? | In Austria they speak German.
Do you have feelings? | No, I am a program, but I am glad to help.
Can you keep a secret? | I can, but please tell me nothing that matters.
That was quick! | Thank you! Is there anything else?
Well done. | Thank you, I am glad it helped.
I changed my mind. | No problem. What would you like instead?
I will be right back. | All right, I will wait here.
Nice to meet you. | Nice to meet you too!
Have a good weekend! | Thank you, the same to you!
Wait a second, please. | Of course, take your time.
""".strip().splitlines()
)
