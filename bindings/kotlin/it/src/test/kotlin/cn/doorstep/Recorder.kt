/** A process that records and is killed: what it recorded has to be there for the next one. */
package cn.doorstep

import kotlinx.coroutines.runBlocking
import java.nio.file.Path

/** Records a door and a visit in the folder of an enrolled phone, says the door's id, and ends without closing anything. */
fun main(arguments: Array<String>) = runBlocking {
    val phone = Doorstep.open(Path.of(arguments[0]), transport = Unreachable)
    val door = phone.door("1单元101")
    phone.visit(door, "身体还好")
    println(door)
    Runtime.getRuntime().halt(9)
}
